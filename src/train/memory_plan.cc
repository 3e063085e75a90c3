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
#include "rhohat/error.h"
#include "sweep/sweep.h"
#include "train/fit_preparation.h"
#include "train/method_memory.h"
#include "train/option_text.h"
#include "train/stages.h"

namespace rhohat {
namespace {

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
  const bool fused = compute.schedule == Schedule::kFused && PassesOf(options.objective) == 2;
  const auto parameters = static_cast<size_t>(shape.parameters());
  AddMethods<T>(options, compute, shape, source, threads, planner);
  const uint64_t lane = Objective<T>::LaneBytes(shape, fused);
  const uint64_t lanes = static_cast<uint64_t>(compute.lanes) * lane;
  planner.Add("lanes", lanes,
              fmt::format("{} lanes × {} of sums", compute.lanes, FormatBytes(lane)));
  const size_t each =
      Objective<T>::WorkspaceBytes(shape, options.objective, compute.block_rows, fused);
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

// Of the stage that has most of them.
int64_t CodeUnits(const TrainOptions& options, int64_t inputs) {
  int64_t most = 0;
  for (const Stage& stage : StagesOf(options, inputs)) {
    most = std::max(most, stage.shape.encoder_units());
  }
  return most;
}

// Codes are kept of rows that are kept, as far as that goes: what is left is shared between them as
// a row and its code share it.
template <class T>
MemoryPlan AddCaches(const TrainOptions& options, const ComputeOptions& compute,
                     const RowSource& source, MemoryPlanner& planner) {
  const uint64_t row = KeptRowBytes<T>(options, source);
  if (compute.schedule != Schedule::kCached || PassesOf(options.objective) == 1) {
    return planner.AddCache(row);
  }
  const int64_t units = CodeUnits(options, source.columns());
  const uint64_t block = CodeCache<T>::BlockBytes(compute.block_rows, units);
  const double codes_share =
      static_cast<double>(block) / static_cast<double>(block + compute.block_rows * row);
  const auto for_codes =
      static_cast<uint64_t>(codes_share * static_cast<double>(planner.SpareBytes()));
  const int64_t blocks = (source.rows() + compute.block_rows - 1) / compute.block_rows;
  const uint64_t kept = std::min(static_cast<uint64_t>(blocks), for_codes / block);
  const int64_t rows = std::min(source.rows(), static_cast<int64_t>(kept) * compute.block_rows);
  if (kept > 0) {
    planner.AddFromSpare("codes", kept * block,
                         fmt::format("of {} rows stay from pass to pass", rows));
  }
  MemoryPlan plan = planner.AddCache(row);
  plan.code_bytes = kept * block;
  plan.kept_codes = rows;
  return plan;
}

// Held rows are gone when all rows are passed over again and again: what is planned to keep those
// is there for them first. Only where that is less, more is planned.
void AddRowHolding(const RowHolding& held, MemoryPlan& plan) {
  plan.sample_rows = held.sample_rows;
  plan.mix_rows = held.mix_rows;
  const uint64_t kept = plan.cache_bytes + plan.code_bytes;
  if (held.bytes <= kept) return;
  plan.items.push_back({"held rows", held.bytes - kept,
                        kept > 0 ? held.note + ", beyond what the cache takes" : held.note});
  plan.total_bytes += held.bytes - kept;
}

template <class T>
MemoryPlan PlanInT(const TrainOptions& options, const ComputeOptions& compute,
                   const RowSource& source) {
  const NetworkShape shape{source.columns(), options.network};
  CheckShape(shape);
  const ResolvedResources resources = Resolve(options.resources);
  MemoryPlanner planner(source, resources, compute.block_rows);
  planner.AddDecoding(sizeof(T));
  planner.ReserveForEachThread(kProductBufferBytes);
  AddTrainingItems<T>(options, compute, shape, source, resources.threads, planner);
  MemoryPlan plan = planner.Finish();
  // A cache that cannot hold all may want part of it to read further ahead.
  const RowHolding held =
      RowHoldingOf<T>(options, compute, source, plan.threads, planner.SpareBytes() / 8 * 7);
  if (compute.schedule != Schedule::kTwoPass) {
    plan = AddCaches<T>(options, compute, source, planner);
  }
  AddRowHolding(held, plan);
  plan.lanes = compute.lanes;
  plan.schedule = compute.schedule;
  return plan;
}

// With the schedule given.
MemoryPlan PlanWith(const TrainOptions& options, ComputeOptions compute, Schedule schedule,
                    const RowSource& source, std::string reason) {
  compute.schedule = schedule;
  MemoryPlan plan = compute.precision == Precision::kFloat64
                        ? PlanInT<double>(options, compute, source)
                        : PlanInT<float>(options, compute, source);
  plan.schedule_reason = std::move(reason);
  const NetworkShape shape{source.columns(), options.network};
  const int64_t passes = PassesOf(options.objective);
  const int64_t reads = schedule == Schedule::kFused ? 1 : passes;
  plan.flops_per_evaluation =
      static_cast<double>(plan.rows - plan.kept_codes) * FlopsPerRow(shape, passes) +
      static_cast<double>(plan.kept_codes) * FlopsPerRow(shape, 1);
  plan.bytes_read_per_evaluation =
      static_cast<uint64_t>(reads) * static_cast<uint64_t>(plan.rows - plan.kept_rows) *
      static_cast<uint64_t>(plan.columns) * ElementBytes(source.type());
  return plan;
}

std::string WhyNotFusedInAnyStage(const TrainOptions& options, int64_t inputs) {
  for (const Stage& stage : StagesOf(options, inputs)) {
    std::string why_not = WhyNotFused(stage.objective, stage.shape);
    if (!why_not.empty()) return why_not;
  }
  return {};
}

// What --schedule auto is. Cached computes least, where everything fits; fused reads least.
MemoryPlan PlanWithBestSchedule(const TrainOptions& options, const ComputeOptions& compute,
                                const RowSource& source) {
  if (PassesOf(options.objective) == 1) {
    return PlanWith(options, compute, Schedule::kCached, source,
                    "no penalty depends on rho_hat, so one pass is all it takes");
  }
  MemoryPlan cached = PlanWith(options, compute, Schedule::kCached, source, "");
  if (cached.kept_codes == cached.rows && cached.kept_rows == cached.rows) {
    cached.schedule_reason = "all rows and their codes fit into memory";
    return cached;
  }
  const std::string why_not = WhyNotFusedInAnyStage(options, source.columns());
  if (!why_not.empty()) {
    cached.schedule_reason = why_not;
    return cached;
  }
  try {
    return PlanWith(options, compute, Schedule::kFused, source,
                    "not all rows and codes fit into memory, and it reads them once");
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kUsage) throw;
    cached.schedule_reason = "the memory is too little for the sums of the fused schedule";
    return cached;
  }
}

}  // namespace

MemoryPlan PlanTrainingMemory(const TrainOptions& options, const ComputeOptions& compute,
                              const RowSource& source) {
  if (compute.schedule == Schedule::kAuto) return PlanWithBestSchedule(options, compute, source);
  if (compute.schedule == Schedule::kFused) {
    const std::string why_not = WhyNotFusedInAnyStage(options, source.columns());
    if (!why_not.empty()) throw Error(ErrorKind::kUsage, "--schedule fused: " + why_not);
  }
  return PlanWith(options, compute, compute.schedule, source, "as asked for");
}

MemoryPlan PlanTraining(const TrainOptions& options) {
  options.Validate();
  const DataSet data(options.data);
  const NetworkShape shape{data.columns(), options.network};
  return PlanTrainingMemory(options, ResolveCompute(options.compute, shape), data);
}

}  // namespace rhohat
