#include "train/sample_memory.h"

#include <fmt/core.h>

#include <algorithm>
#include <vector>

#include "objective/objective.h"
#include "sweep/row_sample.h"
#include "train/sample_sizes.h"
#include "train/stages.h"

namespace rhohat {
namespace {

bool IsProgressive(const OptimizerOptions& options) {
  return std::ranges::count(options.methods, OptimizerKind::kProgressive) > 0;
}

// The most of any stage.
struct SampleNeeds {
  int64_t rows = 0;
  uint64_t row_bytes = 1;
  uint64_t unseen_bytes = 0;  // to evaluate rows outside the first sample beside it
};

template <class T>
uint64_t UnseenBytes(const Stage& stage, int64_t block_rows, int64_t lanes, int64_t threads) {
  const uint64_t decoding = static_cast<uint64_t>(block_rows * stage.shape.inputs) * sizeof(T);
  return static_cast<uint64_t>(threads) *
             (Objective<T>::WorkspaceBytes(stage.shape, stage.objective, block_rows, false) +
              decoding) +
         static_cast<uint64_t>(lanes) * Objective<T>::CostLaneBytes(stage.shape);
}

template <class T>
SampleNeeds NeedsOf(const TrainOptions& options, const ComputeOptions& compute,
                    const RowSource& source, int64_t threads) {
  SampleNeeds needs;
  for (const Stage& stage : StagesOf(options, source.columns())) {
    const std::vector<int64_t> sizes = SampleSizes(options.optimizer, stage.shape, source.rows());
    if (sizes.empty()) continue;
    const bool is_transformed =
        stage.frozen_layers > 0 || options.prepare.kind != PreparationKind::kNone;
    const HeldFormat format = is_transformed ? HeldFormat::Transformed<T>(stage.shape.inputs)
                                             : HeldFormat::Stored<T>(source);
    needs.rows = std::max(needs.rows, RowsHeldFor(sizes));
    needs.row_bytes = std::max(needs.row_bytes, format.MemoryBytes(1));
    const int64_t block_rows = SampleBlockRows(sizes.front(), compute.lanes, compute.block_rows);
    needs.unseen_bytes =
        std::max(needs.unseen_bytes, UnseenBytes<T>(stage, block_rows, compute.lanes, threads));
  }
  return needs;
}

}  // namespace

template <class T>
void AddSamples(const TrainOptions& options, const ComputeOptions& compute, const RowSource& source,
                uint64_t spare_bytes, MemoryPlan& plan) {
  if (!IsProgressive(options.optimizer)) return;
  const SampleNeeds needs = NeedsOf<T>(options, compute, source, plan.threads);
  const uint64_t room = plan.cache_bytes + spare_bytes;
  if (needs.rows == 0 || room <= needs.unseen_bytes) return;
  const uint64_t rows =
      std::min(static_cast<uint64_t>(needs.rows), (room - needs.unseen_bytes) / needs.row_bytes);
  plan.sample_rows = static_cast<int64_t>(rows);
  const uint64_t bytes = rows * needs.row_bytes + needs.unseen_bytes;
  if (bytes <= plan.cache_bytes) return;
  plan.items.push_back({"sample", bytes - plan.cache_bytes,
                        fmt::format("of up to {} rows{}", rows,
                                    plan.cache_bytes > 0 ? ", beyond what the cache takes" : "")});
  plan.total_bytes += bytes - plan.cache_bytes;
}

// 1 allows none.
void ResolveSampleLimit(const MemoryPlan& plan, OptimizerOptions& options) {
  if (IsProgressive(options)) options.sample_limit = std::max<int64_t>(1, plan.sample_rows);
}

template void AddSamples<float>(const TrainOptions&, const ComputeOptions&, const RowSource&,
                                uint64_t, MemoryPlan&);
template void AddSamples<double>(const TrainOptions&, const ComputeOptions&, const RowSource&,
                                 uint64_t, MemoryPlan&);

}  // namespace rhohat
