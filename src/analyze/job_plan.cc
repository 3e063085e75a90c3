// The whole plan of a run: its memory first, which may refuse it; then the rest.
#include "analyze/batch_header.h"
#include "analyze/disk_plan.h"
#include "analyze/measure_evaluation.h"
#include "analyze/model_sweep.h"
#include "analyze/time_plan.h"
#include "data/data_set.h"
#include "network/parameters.h"
#include "objective/compute_plan.h"
#include "rhohat/plan.h"
#include "train/memory_plan.h"

namespace rhohat {
namespace {

TimePlan MeasureTime(const TrainOptions& options, const ComputeOptions& compute,
                     const MemoryPlan& memory, RowSource& source) {
  return WithPrecision(compute.precision, [&](auto number) {
    const EvaluationRates rates =
        MeasureEvaluation<decltype(number)>(options, compute, memory, source);
    return TimeOf(options, memory, rates);
  });
}

}  // namespace

JobPlan PlanJob(const TrainOptions& options, bool measure) {
  options.Validate();
  DataSet data(options.data);
  const NetworkShape shape(data.columns(), options.network);
  const ComputeOptions compute = ResolveCompute(options.compute, shape);
  JobPlan plan;
  plan.memory = PlanTrainingMemory(options, compute, data);
  plan.disk = DiskOf(options, plan.memory);
  if (measure) plan.time = MeasureTime(options, compute, plan.memory, data);
  plan.batch_header = BatchHeader(options, plan.memory, plan.time);
  return plan;
}

}  // namespace rhohat
