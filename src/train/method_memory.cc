#include "train/method_memory.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "base/units.h"
#include "objective/objective.h"
#include "optimize/conjugate_gradient.h"
#include "optimize/gradient_descent.h"
#include "optimize/lbfgs.h"
#include "sweep/batch_stream.h"
#include "sweep/row_sample.h"
#include "train/optimizer_names.h"
#include "train/sample_sizes.h"
#include "train/stages.h"
#include "train/stochastic_phase.h"

namespace rhohat {
namespace {

// Memory of one method, beside the gradient.
template <class T>
MemoryPlan::Item MethodItem(OptimizerKind kind, const OptimizerOptions& options,
                            size_t parameters) {
  const std::string vector = FormatBytes(parameters * sizeof(T));
  switch (kind) {
    case OptimizerKind::kConjugateGradient:
      return {"optimiser", ConjugateGradient<T>::MemoryBytes(parameters),
              fmt::format("conjugate gradients: 4 vectors of {}", vector)};
    case OptimizerKind::kGradientDescent:
      return {"optimiser", GradientDescent<T>::MemoryBytes(parameters),
              fmt::format("gradient descent: 4 vectors of {}", vector)};
    case OptimizerKind::kSgd:
    case OptimizerKind::kAdam:
      return {"optimiser", 0, "with the mini-batches"};
    default:
      return {"optimiser", Lbfgs<T>::MemoryBytes(parameters, options.history),
              fmt::format("L-BFGS: 4 + 2 × --history {} vectors of {}", options.history, vector)};
  }
}

// Methods run one after another: the largest counts.
template <class T>
void AddOptimizer(const OptimizerOptions& options, size_t parameters, ModelItems& items) {
  MemoryPlan::Item largest = MethodItem<T>(options.methods.front(), options, parameters);
  for (const OptimizerKind kind : options.methods) {
    MemoryPlan::Item item = MethodItem<T>(kind, options, parameters);
    if (item.bytes > largest.bytes) largest = std::move(item);
  }
  items.Add(largest.name, largest.bytes, largest.note);
  items.Add("gradient", parameters * sizeof(T),
            fmt::format("1 vector of {}", FormatBytes(parameters * sizeof(T))));
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

// What a window of so many rows takes beyond one of a single row.
template <class T>
uint64_t MixBytes(const TrainOptions& options, const RowSource& source, int64_t mix_rows,
                  int64_t threads) {
  BatchStreamOptions narrow = StreamOf(options.optimizer, source);
  BatchStreamOptions wide = narrow;
  narrow.mix_rows = 1;
  wide.mix_rows = mix_rows;
  uint64_t most = 0;
  for (const int64_t columns : TransformColumns(options, source.columns())) {
    const uint64_t all = BatchStream<T>::MemoryBytes(source, wide, columns, threads);
    const uint64_t one = BatchStream<T>::MemoryBytes(source, narrow, columns, threads);
    most = std::max(most, all - std::min(all, one));
  }
  return most;
}

// What stochastic methods take with a window of one row, and where --mix says so, of that many.
template <class T>
void AddBatches(const TrainOptions& options, const NetworkShape& shape, const RowSource& source,
                int64_t threads, ModelItems& items) {
  const std::optional<OptimizerKind> kind = StochasticMethod(options.optimizer);
  if (!kind) return;
  uint64_t least = 0;
  for (const int64_t columns : TransformColumns(options, source.columns())) {
    least = std::max(
        least, StochasticPhase<T>::MemoryBytes(*kind, options.optimizer, shape, options.objective,
                                               source, columns, threads));
  }
  items.Add("batches", least,
            fmt::format("mini-batches of {} rows, and the optimiser",
                        std::min(source.rows(), options.optimizer.batch_rows)));
  if (options.optimizer.mix_rows > 0) {
    items.Add("mixing", MixBytes<T>(options, source, options.optimizer.mix_rows, threads),
              fmt::format("--mix {} rows", options.optimizer.mix_rows));
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

// The most that a sample's row takes, and the most that are wanted, in any stage.
struct SampleNeeds {
  int64_t rows = 0;
  uint64_t held_row_bytes = 0;
  uint64_t row_bytes = 0;    // and its codes
  uint64_t extra_bytes = 0;  // while the first sample is worked with
};

// What is unseen by the first sample is evaluated beside it.
template <class T>
uint64_t UnseenBytes(const Stage& stage, const ComputeOptions& compute, int64_t first_sample,
                     int64_t threads) {
  const int64_t block_rows = SampleBlockRows(first_sample, compute.lanes, compute.block_rows);
  return static_cast<uint64_t>(threads) *
             (Objective<T>::WorkspaceBytes(stage.shape, stage.objective, block_rows, false) +
              static_cast<uint64_t>(block_rows * stage.shape.inputs) * sizeof(T)) +
         static_cast<uint64_t>(compute.lanes) * Objective<T>::CostLaneBytes(stage.shape);
}

template <class T>
SampleNeeds SampleNeedsOf(const TrainOptions& options, const ComputeOptions& compute,
                          const RowSource& source, int64_t threads) {
  SampleNeeds needs;
  if (std::ranges::count(options.optimizer.methods, OptimizerKind::kProgressive) == 0) return needs;
  for (const Stage& stage : StagesOf(options, source.columns())) {
    const std::vector<int64_t> sizes = SampleSizes(options.optimizer, stage.shape, source.rows());
    if (sizes.empty()) continue;
    const bool transformed =
        stage.frozen_layers > 0 || options.prepare.kind != PreparationKind::kNone;
    const HeldFormat format = transformed ? HeldFormat::Transformed<T>(stage.shape.inputs)
                                          : HeldFormat::Stored<T>(source);
    needs.rows = std::max(needs.rows, RowsHeldFor(sizes));
    // The codes of a sample are kept beside it, where there are kept ones at all.
    const uint64_t code_bytes = compute.schedule == Schedule::kCached
                                    ? static_cast<uint64_t>(stage.shape.encoder_units()) * sizeof(T)
                                    : 0;
    needs.held_row_bytes = std::max(needs.held_row_bytes, format.MemoryBytes(1));
    needs.row_bytes = std::max(needs.row_bytes, format.MemoryBytes(1) + code_bytes);
    needs.extra_bytes =
        std::max(needs.extra_bytes, UnseenBytes<T>(stage, compute, sizes.front(), threads));
  }
  return needs;
}

// The rows themselves are there once.
template <class T>
SampleNeeds SampleNeedsOf(std::span<const TrainOptions> models, const ComputeOptions& compute,
                          const RowSource& source, int64_t threads) {
  SampleNeeds sum = SampleNeedsOf<T>(models.front(), compute, source, threads);
  for (const TrainOptions& model : models.subspan(1)) {
    const SampleNeeds needs = SampleNeedsOf<T>(model, compute, source, threads);
    sum.row_bytes += needs.row_bytes - needs.held_row_bytes;
    sum.extra_bytes += needs.extra_bytes;
  }
  return sum;
}

template <class T>
void AddSamples(const SampleNeeds& needs, uint64_t room, RowHolding& held) {
  if (needs.rows == 0 || room <= needs.extra_bytes) return;
  held.sample_rows = static_cast<int64_t>(
      std::min(static_cast<uint64_t>(needs.rows), (room - needs.extra_bytes) / needs.row_bytes));
  held.bytes = static_cast<uint64_t>(held.sample_rows) * needs.row_bytes + needs.extra_bytes;
  held.note = fmt::format("samples of up to {} rows", held.sample_rows);
}

}  // namespace

template <class T>
void AddMethods(const TrainOptions& options, const NetworkShape& shape, const RowSource& source,
                int64_t threads, ModelItems& items) {
  AddOptimizer<T>(options.optimizer, static_cast<size_t>(shape.parameters()), items);
  AddBatches<T>(options, shape, source, threads, items);
}

template <class T>
void AddLimitedSamples(std::span<const TrainOptions> models, const ComputeOptions& compute,
                       const RowSource& source, int64_t threads, MemoryPlanner& planner) {
  if (models.front().optimizer.sample_limit == 0) return;
  const SampleNeeds needs = SampleNeedsOf<T>(models, compute, source, threads);
  if (needs.rows == 0) return;
  planner.Add("samples", static_cast<uint64_t>(needs.rows) * needs.row_bytes + needs.extra_bytes,
              fmt::format("of up to {} rows, by --sample-limit", needs.rows));
}

template <class T>
RowHolding RowHoldingOf(std::span<const TrainOptions> models, const ComputeOptions& compute,
                        const RowSource& source, int64_t threads, uint64_t room) {
  const TrainOptions& options = models.front();
  RowHolding held;
  if (options.optimizer.sample_limit > 0) {
    held.sample_rows = options.optimizer.sample_limit;
  } else {
    AddSamples<T>(SampleNeedsOf<T>(models, compute, source, threads), room, held);
  }
  if (StochasticMethod(options.optimizer)) {
    held.mix_rows = MixRows<T>(options, source, threads, room);
    const uint64_t bytes =
        options.optimizer.mix_rows > 0 ? 0 : MixBytes<T>(options, source, held.mix_rows, threads);
    if (bytes > held.bytes) {
      held.bytes = bytes;
      held.note = fmt::format("{} rows, among which the order is mixed", held.mix_rows);
    }
  }
  return held;
}

#define RHOHAT_INSTANTIATE(T)                                                                      \
  template void AddMethods<T>(const TrainOptions&, const NetworkShape&, const RowSource&, int64_t, \
                              ModelItems&);                                                        \
  template void AddLimitedSamples<T>(std::span<const TrainOptions>, const ComputeOptions&,         \
                                     const RowSource&, int64_t, MemoryPlanner&);                   \
  template RowHolding RowHoldingOf<T>(std::span<const TrainOptions>, const ComputeOptions&,        \
                                      const RowSource&, int64_t, uint64_t);
RHOHAT_INSTANTIATE(float)
RHOHAT_INSTANTIATE(double)
#undef RHOHAT_INSTANTIATE

}  // namespace rhohat
