#include "train/memory_plan.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>

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
    default:
      return {"optimiser", Lbfgs<T>::MemoryBytes(parameters, options.history),
              fmt::format("L-BFGS: 4 + 2 × --history {} vectors of {}", options.history, vector)};
  }
}

// Methods run one after another: the largest counts.
template <class T>
void AddOptimizer(const OptimizerOptions& options, size_t parameters, MemoryPlanner& planner) {
  MemoryPlan::Item largest;
  for (const OptimizerKind kind : options.methods) {
    if (IsStochastic(kind)) continue;  // AddBatches()
    MemoryPlan::Item item = MethodItem<T>(kind, options, parameters);
    if (item.bytes > largest.bytes) largest = std::move(item);
  }
  if (largest.bytes > 0) planner.Add(largest.name, largest.bytes, largest.note);
  planner.Add("gradient", parameters * sizeof(T),
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
  const auto adam = std::ranges::find(options.methods, OptimizerKind::kAdam);  // takes most
  if (adam != options.methods.end()) return *adam;
  const auto found = std::ranges::find_if(options.methods, IsStochastic);
  return found == options.methods.end() ? std::nullopt : std::optional(*found);
}

// What a window of `mix_rows` takes beyond one of a single row, in the stage where that is most.
template <class T>
uint64_t WindowBytes(const TrainOptions& options, const RowSource& source, int64_t threads,
                     int64_t mix_rows) {
  const int64_t batch = std::min(source.rows(), options.optimizer.batch_rows);
  uint64_t most = 0;
  for (const int64_t columns : TransformColumns(options, source.columns())) {
    const auto bytes = [&](int64_t rows) {
      return BatchStream<T>::MemoryBytes(source, {.batch_rows = batch, .mix_rows = rows}, columns,
                                         threads);
    };
    const uint64_t one = bytes(1);
    most = std::max(most, bytes(mix_rows) - std::min(one, bytes(mix_rows)));
  }
  return most;
}

// What stochastic methods take with a window of one row, and with that of --mix.
template <class T>
void AddBatches(const TrainOptions& options, const NetworkShape& shape, const RowSource& source,
                int64_t threads, MemoryPlanner& planner) {
  const OptimizerOptions& optimizer = options.optimizer;
  const std::optional<OptimizerKind> kind = StochasticMethod(optimizer);
  if (!kind) return;
  uint64_t least = 0;
  for (const int64_t columns : TransformColumns(options, source.columns())) {
    least =
        std::max(least, StochasticPhase<T>::MemoryBytes(*kind, optimizer, shape, options.objective,
                                                        source, columns, threads));
  }
  planner.Add("batches", least, fmt::format("of {} rows, and the optimiser", optimizer.batch_rows));
  if (optimizer.mix_rows == 0) return;
  planner.Add("mixing", WindowBytes<T>(options, source, threads, optimizer.mix_rows),
              fmt::format("--mix {} rows", optimizer.mix_rows));
}

// The window that `bytes` allow in every stage; 0 where no method has one.
template <class T>
int64_t MixRows(const TrainOptions& options, const RowSource& source, int64_t threads,
                uint64_t bytes) {
  if (!StochasticMethod(options.optimizer)) return 0;
  if (options.optimizer.mix_rows > 0) return options.optimizer.mix_rows;
  const BatchStreamOptions narrow{
      .batch_rows = std::min(source.rows(), options.optimizer.batch_rows), .mix_rows = 1};
  int64_t least = source.rows();
  for (const int64_t columns : TransformColumns(options, source.columns())) {
    const uint64_t one = BatchStream<T>::MemoryBytes(source, narrow, columns, threads);
    least =
        std::min(least, BatchStream<T>::MostMixRows(source, narrow, columns, threads, one + bytes));
  }
  return least;
}

// Batch methods keep rows where stochastic ones have their window: what that takes more is added.
template <class T>
void PlanWindow(const TrainOptions& options, const RowSource& source, uint64_t spare_bytes,
                MemoryPlan& plan) {
  plan.mix_rows = MixRows<T>(options, source, plan.threads, spare_bytes);
  if (plan.mix_rows == 0 || options.optimizer.mix_rows > 0) return;
  const uint64_t window = WindowBytes<T>(options, source, plan.threads, plan.mix_rows);
  const uint64_t kept = plan.cache_bytes + plan.code_bytes;
  if (window <= kept) return;
  plan.items.push_back(
      {"mixing", window - kept, fmt::format("{} of {} rows in memory", plan.mix_rows, plan.rows)});
  plan.total_bytes += window - kept;
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
  const bool fused = compute.schedule == Schedule::kFused && PassesOf(options.objective) == 2;
  const auto parameters = static_cast<size_t>(shape.parameters());
  AddOptimizer<T>(options.optimizer, parameters, planner);
  AddBatches<T>(options, shape, source, threads, planner);
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
  const uint64_t spare_bytes = planner.SpareBytes();
  if (compute.schedule != Schedule::kTwoPass)
    plan = AddCaches<T>(options, compute, source, planner);
  PlanWindow<T>(options, source, spare_bytes, plan);
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
  } catch (const Error&) {
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
