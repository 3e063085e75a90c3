#include "train/memory_plan.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <vector>

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
#include "train/optimizer_names.h"
#include "train/option_text.h"
#include "train/stochastic_phase.h"

namespace rhohat {
namespace {

size_t ElementBytesOf(Precision precision) {
  return precision == Precision::kFloat64 ? sizeof(double) : sizeof(float);
}

template <class T>
void AddOptimizer(OptimizerKind kind, const OptimizerOptions& options, size_t parameters,
                  MemoryPlanner& planner) {
  const std::string vector = FormatBytes(parameters * sizeof(T));
  switch (kind) {
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

// Methods run one after another: the one that takes most is what counts.
template <class T>
OptimizerKind LargestMethod(const OptimizerOptions& options, size_t parameters) {
  const auto bytes = [&](OptimizerKind kind) -> size_t {
    switch (kind) {
      case OptimizerKind::kLbfgs:
      case OptimizerKind::kProgressive:
        return Lbfgs<T>::MemoryBytes(parameters, options.history);
      case OptimizerKind::kConjugateGradient:
      case OptimizerKind::kGradientDescent:
        return GradientDescent<T>::MemoryBytes(parameters);
      default:
        return 0;
    }
  };
  return *std::ranges::max_element(options.methods, {}, bytes);
}

// Columns of the rows that stages train on, where those are transformed; else 0.
std::vector<int64_t> TransformColumns(const TrainOptions& options, int64_t inputs) {
  std::vector<int64_t> columns = {options.prepare.kind != PreparationKind::kNone ? inputs : 0};
  if (!options.greedy) return columns;
  const std::vector<int64_t>& hidden = options.network.hidden;
  columns.insert(columns.end(), hidden.begin(), hidden.end() - 1);
  return columns;
}

std::optional<OptimizerKind> StochasticMethod(const OptimizerOptions& options) {
  const auto found = std::ranges::find_if(options.methods, IsStochastic);
  return found == options.methods.end() ? std::nullopt : std::optional(*found);
}

BatchStreamOptions StreamOf(const OptimizerOptions& options, const RowSource& source) {
  return {.batch_rows = std::min(source.rows(), options.batch_rows),
          .mix_rows = std::max<int64_t>(1, options.mix_rows)};
}

// What stochastic methods take with a window of one row, and where --mix says so, of that many.
template <class T>
void AddBatches(const TrainOptions& options, const NetworkShape& shape, const RowSource& source,
                int64_t threads, MemoryPlanner& planner) {
  const std::optional<OptimizerKind> kind = StochasticMethod(options.optimizer);
  if (!kind) return;
  uint64_t least = 0;
  uint64_t window = 0;
  const BatchStreamOptions narrow{
      .batch_rows = std::min(source.rows(), options.optimizer.batch_rows), .mix_rows = 1};
  for (const int64_t columns : TransformColumns(options, source.columns())) {
    least = std::max(
        least, StochasticPhase<T>::MemoryBytes(*kind, options.optimizer, shape, options.objective,
                                               source, columns, threads));
    const uint64_t all =
        BatchStream<T>::MemoryBytes(source, StreamOf(options.optimizer, source), columns, threads);
    const uint64_t one = BatchStream<T>::MemoryBytes(source, narrow, columns, threads);
    window = std::max(window, all - std::min(all, one));
  }
  planner.Add("batches", least,
              fmt::format("mini-batches of {} rows, and the optimiser", narrow.batch_rows));
  if (options.optimizer.mix_rows > 0) {
    planner.Add("mixing", window, fmt::format("--mix {} rows", options.optimizer.mix_rows));
  }
}

// The window that what is left for rows allows.
template <class T>
int64_t MixRows(const TrainOptions& options, const RowSource& source, int64_t threads,
                uint64_t bytes) {
  if (options.optimizer.mix_rows > 0) return options.optimizer.mix_rows;
  int64_t least = source.rows();
  BatchStreamOptions narrow = StreamOf(options.optimizer, source);
  narrow.mix_rows = 1;
  for (const int64_t columns : TransformColumns(options, source.columns())) {
    const uint64_t one = BatchStream<T>::MemoryBytes(source, narrow, columns, threads);
    least =
        std::min(least, BatchStream<T>::MostMixRows(source, narrow, columns, threads, one + bytes));
  }
  return least;
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
                      const NetworkShape& shape, const RowSource& source, int64_t threads,
                      MemoryPlanner& planner) {
  const auto parameters = static_cast<size_t>(shape.parameters());
  AddOptimizer<T>(LargestMethod<T>(options.optimizer, parameters), options.optimizer, parameters,
                  planner);
  AddBatches<T>(options, shape, source, threads, planner);
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
    AddTrainingItems<double>(options, compute, shape, source, resources.threads, planner);
  } else {
    AddTrainingItems<float>(options, compute, shape, source, resources.threads, planner);
  }
  planner.Finish();
  MemoryPlan plan = planner.AddCache(compute.precision == Precision::kFloat64
                                         ? KeptRowBytes<double>(options, source)
                                         : KeptRowBytes<float>(options, source));
  plan.lanes = compute.lanes;
  if (StochasticMethod(options.optimizer)) {
    plan.mix_rows = compute.precision == Precision::kFloat64
                        ? MixRows<double>(options, source, resources.threads, plan.cache_bytes)
                        : MixRows<float>(options, source, resources.threads, plan.cache_bytes);
  }
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
