#include "train/memory_plan.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <span>

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

using Models = std::span<const TrainOptions>;

bool IsGrid(Models models) { return models.size() > 1; }

// Both passes of a gradient are needed for it.
int64_t MostPasses(Models models) {
  int64_t most = 1;
  for (const TrainOptions& model : models) most = std::max(most, PassesOf(model.objective));
  return most;
}

// What the preparation holds while the network trains, and what fitting it takes before that: as
// the two are not there at a time, only what fitting takes above `training` counts.
template <class T>
void AddPreparation(Models models, const ComputeOptions& compute, int64_t inputs, int64_t threads,
                    uint64_t training, MemoryPlanner& planner) {
  const TrainOptions& options = models.front();
  const PreparationKind kind = options.prepare.kind;
  if (kind == PreparationKind::kNone) return;
  // In the computation's type, and twice as it will be in each model; a grid's models take it from
  // another one.
  const uint64_t copies = 2 * models.size() + (IsGrid(models) ? 1 : 0);
  const uint64_t held = PreparedRows<T>::MemoryBytes(kind, inputs) +
                        copies * PreparedRows<double>::MemoryBytes(kind, inputs);
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

// Returns what the lanes and the workspace take, which are not there before training begins.
template <class T>
uint64_t AddModel(const TrainOptions& options, const ComputeOptions& compute,
                  const NetworkShape& shape, const RowSource& source, int64_t threads,
                  ModelItems& items) {
  const bool fused = compute.schedule == Schedule::kFused && PassesOf(options.objective) == 2;
  const auto parameters = static_cast<size_t>(shape.parameters());
  AddMethods<T>(options, shape, source, threads, items);
  const uint64_t lane = Objective<T>::LaneBytes(shape, fused);
  const uint64_t lanes = static_cast<uint64_t>(compute.lanes) * lane;
  items.Add("lanes", lanes, fmt::format("{} lanes × {} of sums", compute.lanes, FormatBytes(lane)));
  const size_t each =
      Objective<T>::WorkspaceBytes(shape, options.objective, compute.block_rows, fused);
  const uint64_t workspace = static_cast<uint64_t>(threads) * each;
  items.Add("workspace", workspace,
            fmt::format("{} threads × {} for a block of {} rows", threads, FormatBytes(each),
                        compute.block_rows));
  items.Add("model", parameters * (sizeof(double) + 2 * sizeof(T)),
            "the starting point; later the finished model, being written");
  return lanes + workspace;
}

// Item i of each model is the same thing.
void AddSums(const std::vector<ModelItems>& models, MemoryPlanner& planner) {
  for (size_t i = 0; i < models.front().items.size(); ++i) {
    MemoryPlan::Item largest = models.front().items[i];
    uint64_t sum = 0;
    bool all_same = true;
    for (const ModelItems& model : models) {
      const MemoryPlan::Item& item = model.items[i];
      if (item.bytes != largest.bytes) all_same = false;
      if (item.bytes > largest.bytes) largest = item;
      if (__builtin_add_overflow(sum, item.bytes, &sum)) sum = std::numeric_limits<uint64_t>::max();
    }
    const std::string of_grid = fmt::format("{} models, {}: {}", models.size(),
                                            all_same ? "each" : "the largest", largest.note);
    planner.Add(largest.name, sum, models.size() > 1 ? of_grid : largest.note);
  }
}

template <class T>
void AddTrainingItems(Models models, const ComputeOptions& compute, const NetworkShape& shape,
                      const RowSource& source, int64_t threads, MemoryPlanner& planner) {
  std::vector<ModelItems> items(models.size());
  uint64_t training = 0;
  for (size_t i = 0; i < models.size(); ++i) {
    training += AddModel<T>(models[i], compute, shape, source, threads, items[i]);
  }
  AddSums(items, planner);
  AddLimitedSamples<T>(models, compute, source, threads, planner);
  AddPreparation<T>(models, compute, shape.inputs, threads, training, planner);
  if (models.front().greedy) AddFrozenLayers<T>(shape, compute, threads, planner);
}

// A grid's passes have their own blocks; beside them, each model passes over samples, or one of
// them finds out what all have to know.
void AddGrid(Models models, size_t element_bytes, MemoryPlanner& planner) {
  constexpr uint64_t kStackAndHeap = uint64_t{1} << 20;
  const auto count = static_cast<int64_t>(models.size());
  const bool has_samples =
      std::ranges::count(models.front().optimizer.methods, OptimizerKind::kProgressive) > 0;
  if (count == 1) return planner.AddDecoding(element_bytes);
  planner.AddDecoding(element_bytes, 1 + (has_samples ? count : 1));
  planner.Add("grid", models.size() * kStackAndHeap,
              fmt::format("a thread for each of {} models", count));
  planner.ReserveThreads(count);
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
MemoryPlan AddCaches(Models models, const ComputeOptions& compute, const RowSource& source,
                     MemoryPlanner& planner) {
  const TrainOptions& options = models.front();
  const uint64_t row = KeptRowBytes<T>(options, source);
  if (compute.schedule != Schedule::kCached || MostPasses(models) == 1)
    return planner.AddCache(row);
  const int64_t units = CodeUnits(options, source.columns());
  const uint64_t block_of_one = CodeCache<T>::BlockBytes(compute.block_rows, units);
  const uint64_t block = models.size() * block_of_one;
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
  plan.code_bytes = kept * block_of_one;
  plan.kept_codes = rows;
  return plan;
}

// Held rows are gone when all rows are passed over again and again: what is planned to keep those
// is there for them first. Only where that is less, more is planned.
void AddRowHolding(const RowHolding& held, Models models, MemoryPlan& plan) {
  plan.sample_rows = held.sample_rows;
  plan.mix_rows = held.mix_rows;
  const uint64_t kept = plan.cache_bytes + models.size() * plan.code_bytes;
  if (held.bytes <= kept) return;
  plan.items.push_back({"held rows", held.bytes - kept,
                        kept > 0 ? held.note + ", beyond what the cache takes" : held.note});
  plan.total_bytes += held.bytes - kept;
}

template <class T>
MemoryPlan PlanInT(Models models, const ComputeOptions& compute, const RowSource& source) {
  const NetworkShape shape{source.columns(), models.front().network};
  CheckShape(shape);
  const ResolvedResources resources = Resolve(models.front().resources);
  MemoryPlanner planner(source, resources, compute.block_rows);
  AddGrid(models, sizeof(T), planner);
  planner.ReserveForEachThread(kProductBufferBytes);
  AddTrainingItems<T>(models, compute, shape, source, resources.threads, planner);
  MemoryPlan plan = planner.Finish();
  // A cache that cannot hold all may want part of it to read further ahead.
  const RowHolding held =
      RowHoldingOf<T>(models, compute, source, plan.threads, planner.SpareBytes() / 8 * 7);
  if (compute.schedule != Schedule::kTwoPass) {
    plan = AddCaches<T>(models, compute, source, planner);
  }
  AddRowHolding(held, models, plan);
  plan.lanes = compute.lanes;
  plan.schedule = compute.schedule;
  return plan;
}

// With the schedule given.
MemoryPlan PlanWith(Models models, ComputeOptions compute, Schedule schedule,
                    const RowSource& source, std::string reason) {
  compute.schedule = schedule;
  MemoryPlan plan = compute.precision == Precision::kFloat64
                        ? PlanInT<double>(models, compute, source)
                        : PlanInT<float>(models, compute, source);
  plan.schedule_reason = std::move(reason);
  const NetworkShape shape{source.columns(), models.front().network};
  const int64_t reads = schedule == Schedule::kFused ? 1 : MostPasses(models);
  for (const TrainOptions& model : models) {
    plan.flops_per_evaluation += static_cast<double>(plan.rows - plan.kept_codes) *
                                     FlopsPerRow(shape, PassesOf(model.objective)) +
                                 static_cast<double>(plan.kept_codes) * FlopsPerRow(shape, 1);
  }
  plan.bytes_read_per_evaluation =
      static_cast<uint64_t>(reads) * static_cast<uint64_t>(plan.rows - plan.kept_rows) *
      static_cast<uint64_t>(plan.columns) * ElementBytes(source.type());
  return plan;
}

std::string WhyNotFusedInAnyStage(Models models, int64_t inputs) {
  for (const TrainOptions& model : models) {
    for (const Stage& stage : StagesOf(model, inputs)) {
      std::string why_not = WhyNotFused(stage.objective, stage.shape);
      if (!why_not.empty()) return why_not;
    }
  }
  return {};
}

// What --schedule auto is. Cached computes least, where everything fits; fused reads least.
MemoryPlan PlanWithBestSchedule(Models models, const ComputeOptions& compute,
                                const RowSource& source) {
  if (MostPasses(models) == 1) {
    return PlanWith(models, compute, Schedule::kCached, source,
                    "no penalty depends on rho_hat, so one pass is all it takes");
  }
  MemoryPlan cached = PlanWith(models, compute, Schedule::kCached, source, "");
  if (cached.kept_codes == cached.rows && cached.kept_rows == cached.rows) {
    cached.schedule_reason = "all rows and their codes fit into memory";
    return cached;
  }
  const std::string why_not = WhyNotFusedInAnyStage(models, source.columns());
  if (!why_not.empty()) {
    cached.schedule_reason = why_not;
    return cached;
  }
  try {
    return PlanWith(models, compute, Schedule::kFused, source,
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
  return PlanTrainingMemory(std::span(&options, 1), compute, source);
}

MemoryPlan PlanTrainingMemory(std::span<const TrainOptions> models, const ComputeOptions& compute,
                              const RowSource& source) {
  if (compute.schedule == Schedule::kAuto) return PlanWithBestSchedule(models, compute, source);
  if (compute.schedule == Schedule::kFused) {
    const std::string why_not = WhyNotFusedInAnyStage(models, source.columns());
    if (!why_not.empty()) throw Error(ErrorKind::kUsage, "--schedule fused: " + why_not);
  }
  return PlanWith(models, compute, compute.schedule, source, "as asked for");
}

MemoryPlan PlanTraining(const TrainOptions& options) {
  options.Validate();
  const DataSet data(options.data);
  const NetworkShape shape{data.columns(), options.network};
  return PlanTrainingMemory(options, ResolveCompute(options.compute, shape), data);
}

}  // namespace rhohat
