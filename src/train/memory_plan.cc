#include "train/memory_plan.h"

#include <fmt/core.h>

#include "base/units.h"
#include "data/data_set.h"
#include "math/blas.h"
#include "network/parameters.h"
#include "objective/compute_plan.h"
#include "objective/objective.h"
#include "optimize/gradient_descent.h"
#include "optimize/lbfgs.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

size_t ElementBytesOf(Precision precision) {
  return precision == Precision::kFloat64 ? sizeof(double) : sizeof(float);
}

template <class T>
size_t OptimizerBytes(const OptimizerOptions& options, size_t parameters) {
  return options.kind == OptimizerKind::kLbfgs ? Lbfgs<T>::MemoryBytes(parameters, options.history)
                                               : GradientDescent<T>::MemoryBytes(parameters);
}

template <class T>
void AddTrainingItems(const TrainOptions& options, const ComputeOptions& compute,
                      const NetworkShape& shape, int64_t threads, MemoryPlanner& planner) {
  const auto parameters = static_cast<size_t>(shape.parameters());
  const std::string vector = FormatBytes(parameters * sizeof(T));
  planner.Add("optimiser", OptimizerBytes<T>(options.optimizer, parameters),
              options.optimizer.kind == OptimizerKind::kLbfgs
                  ? fmt::format("L-BFGS: 4 + 2 × --history {} vectors of {}",
                                options.optimizer.history, vector)
                  : fmt::format("gradient descent: 4 vectors of {}", vector));
  planner.Add("gradient", parameters * sizeof(T), fmt::format("1 vector of {}", vector));
  planner.Add("lanes", static_cast<uint64_t>(compute.lanes) * Objective<T>::LaneBytes(shape),
              fmt::format("{} lanes × {} of sums", compute.lanes,
                          FormatBytes(Objective<T>::LaneBytes(shape))));
  const size_t workspace = Objective<T>::WorkspaceBytes(shape, compute.block_rows);
  planner.Add("workspace", static_cast<uint64_t>(threads) * workspace,
              fmt::format("{} threads × {} for a block of {} rows", threads, FormatBytes(workspace),
                          compute.block_rows));
  planner.Add("model", parameters * (sizeof(double) + sizeof(T)),
              "the finished model, being written");
}

}  // namespace

MemoryPlan PlanTrainingMemory(const TrainOptions& options, const ComputeOptions& compute,
                              const RowSource& source) {
  const NetworkShape shape{source.columns(), options.network.hidden.front()};
  CheckShape(shape);
  const ResolvedResources resources = Resolve(options.resources);
  MemoryPlanner planner(source, resources, compute.block_rows);
  planner.AddDecoding(ElementBytesOf(compute.precision));
  planner.ReserveForEachThread(kProductBufferBytes);
  if (compute.precision == Precision::kFloat64) {
    AddTrainingItems<double>(options, compute, shape, resources.threads, planner);
  } else {
    AddTrainingItems<float>(options, compute, shape, resources.threads, planner);
  }
  MemoryPlan plan = planner.Finish();
  plan.lanes = compute.lanes;
  const double rows = static_cast<double>(plan.rows);
  plan.flops_per_evaluation =
      12.0 * rows * static_cast<double>(shape.inputs) * static_cast<double>(shape.hidden);
  plan.bytes_read_per_evaluation = 2 * static_cast<uint64_t>(plan.rows) *
                                   static_cast<uint64_t>(plan.columns) *
                                   ElementBytes(source.type());
  return plan;
}

MemoryPlan PlanTraining(const TrainOptions& options) {
  options.Validate();
  const DataSet data(options.data);
  const NetworkShape shape{data.columns(), options.network.hidden.front()};
  return PlanTrainingMemory(options, ResolveCompute(options.compute, shape), data);
}

}  // namespace rhohat
