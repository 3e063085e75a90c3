// The whole plan of a run: its memory first, which may refuse it; then the rest.
#include <fmt/core.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "analyze/batch_header.h"
#include "analyze/disk_plan.h"
#include "analyze/measure_evaluation.h"
#include "analyze/model_sweep.h"
#include "analyze/time_plan.h"
#include "data/data_set.h"
#include "network/parameters.h"
#include "objective/compute_plan.h"
#include "rhohat/plan.h"
#include "train/grid.h"
#include "train/memory_plan.h"

namespace rhohat {
namespace {

// The models of a grid, or the one that there is.
std::vector<TrainOptions> ModelsOf(const TrainOptions& options, const std::vector<GridAxis>& axes) {
  std::vector<TrainOptions> models;
  if (axes.empty()) {
    options.Validate();
    models.push_back(options);
    return models;
  }
  for (GridModel& model : GridModels(options, axes)) models.push_back(std::move(model.options));
  return models;
}

// The folder of each model is as if it were alone, with the schedule of all.
DiskPlan DiskOfModels(const std::vector<TrainOptions>& models, ComputeOptions compute,
                      const MemoryPlan& memory, const RowSource& source) {
  if (models.size() == 1) return DiskOf(models.front(), memory);
  compute.schedule = memory.schedule;
  DiskPlan largest;
  uint64_t total = 0;
  for (const TrainOptions& model : models) {
    DiskPlan disk = DiskOf(model, PlanTrainingMemory(model, compute, source));
    total += disk.total_bytes;
    if (disk.total_bytes > largest.total_bytes) largest = std::move(disk);
  }
  largest.total_bytes = total;
  return largest;
}

// Of one that may go on longest: what it computes is computed for each, what it reads is read once.
TimePlan MeasureTime(const std::vector<TrainOptions>& models, const ComputeOptions& compute,
                     const MemoryPlan& memory, RowSource& source) {
  const TrainOptions& longest = *std::ranges::max_element(
      models, {}, [](const TrainOptions& model) { return model.optimizer.iterations; });
  return WithPrecision(compute.precision, [&](auto number) {
    EvaluationRates rates = MeasureEvaluation<decltype(number)>(longest, compute, memory, source);
    rates.compute_rows_per_second /= static_cast<double>(models.size());
    TimePlan time = TimeOf(longest, memory, rates);
    if (models.size() > 1) {
      time.remarks.push_back(
          fmt::format("computing counts for each of {} models, reading once", models.size()));
    }
    return time;
  });
}

}  // namespace

JobPlan PlanJob(const TrainOptions& options, bool measure, const std::vector<GridAxis>& axes) {
  const std::vector<TrainOptions> models = ModelsOf(options, axes);
  DataSet data(options.data);
  const NetworkShape shape(data.columns(), options.network);
  const ComputeOptions compute = ResolveCompute(options.compute, shape);
  JobPlan plan{.models = std::ssize(models)};
  plan.memory = PlanTrainingMemory(models, compute, data);
  plan.disk = DiskOfModels(models, compute, plan.memory, data);
  plan.disk.folder = options.run_directory;
  if (measure) plan.time = MeasureTime(models, compute, plan.memory, data);
  plan.batch_header = BatchHeader(options, plan.memory, plan.time);
  return plan;
}

}  // namespace rhohat
