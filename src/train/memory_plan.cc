#include "train/memory_plan.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/units.h"
#include "data/data_set.h"
#include "math/blas.h"
#include "network/parameters.h"
#include "objective/compute_plan.h"
#include "objective/objective.h"
#include "objective/prepared_rows.h"
#include "optimize/conjugate_gradient.h"
#include "optimize/gradient_descent.h"
#include "optimize/lbfgs.h"
#include "rhohat/error.h"
#include "sweep/sweep.h"
#include "train/fit_preparation.h"
#include "train/option_text.h"

namespace rhohat {
namespace {

size_t ElementBytesOf(Precision precision) {
  return precision == Precision::kFloat64 ? sizeof(double) : sizeof(float);
}

template <class T>
void AddOptimizer(const OptimizerOptions& options, size_t parameters, MemoryPlanner& planner) {
  const std::string vector = FormatBytes(parameters * sizeof(T));
  switch (options.methods.front()) {
    case OptimizerKind::kLbfgs:
      planner.Add(
          "optimiser", Lbfgs<T>::MemoryBytes(parameters, options.history),
          fmt::format("L-BFGS: 4 + 2 × --history {} vectors of {}", options.history, vector));
      break;
    case OptimizerKind::kConjugateGradient:
      planner.Add("optimiser", ConjugateGradient<T>::MemoryBytes(parameters),
                  fmt::format("conjugate gradients: 4 vectors of {}", vector));
      break;
    case OptimizerKind::kGradientDescent:
      planner.Add("optimiser", GradientDescent<T>::MemoryBytes(parameters),
                  fmt::format("gradient descent: 4 vectors of {}", vector));
      break;
    default:
      break;
  }
  planner.Add("gradient", parameters * sizeof(T), fmt::format("1 vector of {}", vector));
}

// What the preparation holds while the network trains, and what fitting it takes before that: as
// the two are not there at a time, only what fitting takes above `training` counts.
template <class T>
void AddPreparation(const TrainOptions& options, const ComputeOptions& compute, int64_t inputs,
                    int64_t threads, uint64_t training, MemoryPlanner& planner) {
  const PreparationKind kind = options.prepare.kind;
  if (kind == PreparationKind::kNone) return;
  // In the computation's type, and twice as it will be in the model.
  const uint64_t held = PreparedRows<T>::MemoryBytes(kind, inputs) +
                        2 * PreparedRows<double>::MemoryBytes(kind, inputs);
  const uint64_t workspace = static_cast<uint64_t>(threads) *
                             PreparedRows<T>::WorkspaceBytes(kind, inputs, compute.block_rows);
  planner.Add(
      "preparation", held + workspace,
      fmt::format("{}, and {} threads × a block", PreparationText(options.prepare), threads));
  const uint64_t fitting = FitPreparationBytes(kind, inputs, compute.block_rows, threads);
  if (fitting > training + workspace) {
    planner.Add("fitting", fitting - training - workspace,
                "of the preparation, beyond what training takes");
  }
}

// A stage of greedy training takes no more than the last one, but for the frozen layers.
template <class T>
void AddFrozenLayers(const NetworkShape& shape, const ComputeOptions& compute, int64_t threads,
                     MemoryPlanner& planner) {
  const uint64_t each =
      PreparedRows<T>::FrozenWorkspaceBytes(shape, shape.depth() - 1, compute.block_rows);
  planner.Add("frozen layers",
              3 * PreparedRows<T>::FrozenBytes(shape) + static_cast<uint64_t>(threads) * each,
              fmt::format("parameters, and {} threads × {}", threads, FormatBytes(each)));
}

template <class T>
void AddTrainingItems(const TrainOptions& options, const ComputeOptions& compute,
                      const NetworkShape& shape, int64_t threads, MemoryPlanner& planner) {
  const auto parameters = static_cast<size_t>(shape.parameters());
  AddOptimizer<T>(options.optimizer, parameters, planner);
  const uint64_t lanes =
      static_cast<uint64_t>(compute.lanes) * Objective<T>::LaneBytes(shape, false);
  planner.Add("lanes", lanes,
              fmt::format("{} lanes × {} of sums", compute.lanes,
                          FormatBytes(Objective<T>::LaneBytes(shape, false))));
  const size_t each =
      Objective<T>::WorkspaceBytes(shape, options.objective, compute.block_rows, false);
  const uint64_t workspace = static_cast<uint64_t>(threads) * each;
  planner.Add("workspace", workspace,
              fmt::format("{} threads × {} for a block of {} rows", threads, FormatBytes(each),
                          compute.block_rows));
  planner.Add("model", parameters * (sizeof(double) + 2 * sizeof(T)),
              "the starting point; later the finished model, being written");
  AddPreparation<T>(options, compute, shape.inputs, threads, lanes + workspace, planner);
  if (options.greedy) AddFrozenLayers<T>(shape, compute, threads, planner);
}

// Of the stage whose rows are largest as they are kept: those of greedy layers pass through the
// frozen ones.
template <class T>
uint64_t KeptRowBytes(const TrainOptions& options, const RowSource& source) {
  const int64_t columns = source.columns();
  const bool is_prepared = options.prepare.kind != PreparationKind::kNone;
  uint64_t most = Sweep<T>::KeptRowBytes(source.type(), columns, is_prepared ? columns : 0);
  if (!options.greedy) return most;
  for (size_t layer = 0; layer + 1 < options.network.hidden.size(); ++layer) {
    most = std::max(most,
                    Sweep<T>::KeptRowBytes(source.type(), columns, options.network.hidden[layer]));
  }
  return most;
}

}  // namespace

MemoryPlan PlanTrainingMemory(const TrainOptions& options, const ComputeOptions& compute,
                              const RowSource& source) {
  const NetworkShape shape{source.columns(), options.network};
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
  planner.Finish();
  MemoryPlan plan = planner.AddCache(compute.precision == Precision::kFloat64
                                         ? KeptRowBytes<double>(options, source)
                                         : KeptRowBytes<float>(options, source));
  plan.lanes = compute.lanes;
  const int64_t passes = PassesOf(options.objective);
  plan.flops_per_evaluation = static_cast<double>(plan.rows) * FlopsPerRow(shape, passes);
  plan.bytes_read_per_evaluation =
      static_cast<uint64_t>(passes) * static_cast<uint64_t>(plan.rows - plan.kept_rows) *
      static_cast<uint64_t>(plan.columns) * ElementBytes(source.type());
  return plan;
}

MemoryPlan PlanTraining(const TrainOptions& options) {
  options.Validate();
  const DataSet data(options.data);
  const NetworkShape shape{data.columns(), options.network};
  return PlanTrainingMemory(options, ResolveCompute(options.compute, shape), data);
}

}  // namespace rhohat
