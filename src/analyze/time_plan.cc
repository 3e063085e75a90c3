#include "analyze/time_plan.h"

#include <fmt/core.h>

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "objective/compute_plan.h"
#include "train/optimizer_names.h"
#include "train/sample_sizes.h"
#include "train/stages.h"

namespace rhohat {
namespace {

// Of the whole network, over all rows.
struct Costs {
  double evaluation_seconds = 0;
  double epoch_seconds = 0;    // of mini-batches: each row forwards and back once
  double compute_seconds = 0;  // of an evaluation where all rows are in memory
  double rows = 0;
};

Costs CostsOf(const TrainOptions& options, const MemoryPlan& plan, const EvaluationRates& rates) {
  const auto rows = static_cast<double>(plan.rows);
  const int64_t passes = PassesOf(options.objective);
  const double reads = plan.schedule == Schedule::kFused ? 1 : static_cast<double>(passes);
  const double compute = rows / rates.compute_rows_per_second;
  const double read_once =
      static_cast<double>(plan.rows - plan.kept_rows) / rates.reading_rows_per_second;
  const NetworkShape shape(plan.columns, options.network);
  const double work_of_one_pass =
      FlopsPerRow(shape, 1) * rows / std::max(1.0, plan.flops_per_evaluation);
  const double exact_means = options.optimizer.rho_hat == RhoHatKind::kExact ? 1 : 0;
  return {.evaluation_seconds = std::max(compute, reads * read_once),
          .epoch_seconds = std::max(compute * (work_of_one_pass + exact_means / 2),
                                    rows / rates.reading_rows_per_second * (1 + exact_means)),
          .compute_seconds = compute,
          .rows = rows};
}

// Evaluations for each iteration, as most are: line searches may take more.
double EvaluationsEach(OptimizerKind kind) {
  return kind == OptimizerKind::kConjugateGradient ? 2 : 1;
}

// Of the progressive method, as large as the memory allows them.
std::vector<int64_t> SamplesOf(const TrainOptions& options, const MemoryPlan& plan,
                               const Stage& stage) {
  OptimizerOptions optimizer = options.optimizer;
  optimizer.sample_limit = std::max<int64_t>(1, plan.sample_rows);
  return SampleSizes(optimizer, stage.shape, plan.rows);
}

void AddEpochs(int64_t epochs, const Costs& costs, MethodTime& time) {
  const auto count = static_cast<double>(epochs);
  time.units += epochs;
  time.data_passes += count + 1;  // and J over all rows before and after
  time.seconds += count * costs.epoch_seconds + costs.evaluation_seconds;
}

void AddIterations(int64_t iterations, double evaluations_each, const Costs& costs,
                   MethodTime& time) {
  const double evaluations =
      evaluations_each * static_cast<double>(iterations) + 1;  // the starting point
  time.units += iterations;
  time.data_passes += evaluations;
  time.seconds += evaluations * costs.evaluation_seconds;
}

void AddSamples(std::span<const int64_t> sizes, int64_t iterations, const Costs& costs,
                MethodTime& time) {
  for (const int64_t size : sizes) {
    const double passes = static_cast<double>(size) * static_cast<double>(iterations) / costs.rows;
    time.units += iterations;
    time.data_passes += passes;
    time.seconds += passes * costs.compute_seconds;
  }
}

MethodTime TimeOfMethod(OptimizerKind kind, const TrainOptions& options, const MemoryPlan& plan,
                        const Costs& costs) {
  const double evaluations = EvaluationsEach(kind);
  const bool stochastic = IsStochastic(kind);
  MethodTime time{
      .method = std::string(InfoOf(kind).name),
      .unit = stochastic ? "epoch" : "iteration",
      .seconds_each = stochastic ? costs.epoch_seconds : evaluations * costs.evaluation_seconds};
  for (const Stage& stage : StagesOf(options, plan.columns)) {
    if (stochastic) {
      AddEpochs(options.optimizer.epochs, costs, time);
      continue;
    }
    if (kind == OptimizerKind::kProgressive) {
      AddSamples(SamplesOf(options, plan, stage), stage.iterations, costs, time);
    }
    AddIterations(stage.iterations, evaluations, costs, time);
  }
  return time;
}

void AddRemarks(const TrainOptions& options, const MemoryPlan& plan, TimePlan& time) {
  const auto has = [&](OptimizerKind kind) {
    return std::ranges::count(options.optimizer.methods, kind) > 0;
  };
  if (time.rows_measured < plan.rows) {
    time.remarks.push_back(
        fmt::format("measured on the first {} rows, which may have lain in memory already: the "
                    "others are taken to come as fast",
                    time.rows_measured));
  }
  if (options.prepare.kind != PreparationKind::kNone) {
    time.remarks.emplace_back("what --prepare takes comes on top");
  }
  if (options.greedy) {
    time.remarks.emplace_back(
        "layers trained alone are counted as if they were the whole network, which takes longer");
  }
  if (std::ranges::any_of(options.optimizer.methods, IsStochastic)) {
    time.remarks.emplace_back(
        "an epoch is taken to be as fast as J and its gradient over all rows: small mini-batches "
        "are slower");
  }
  if (has(OptimizerKind::kLbfgs) || has(OptimizerKind::kProgressive) ||
      has(OptimizerKind::kConjugateGradient)) {
    time.remarks.emplace_back("a step whose line search is long takes several evaluations");
  }
}

}  // namespace

TimePlan TimeOf(const TrainOptions& options, const MemoryPlan& plan, const EvaluationRates& rates) {
  const Costs costs = CostsOf(options, plan, rates);
  TimePlan time{.rows_measured = rates.rows,
                .seconds_measuring = rates.seconds,
                .compute_rows_per_second = rates.compute_rows_per_second,
                .reading_rows_per_second = rates.reading_rows_per_second,
                .seconds_per_evaluation = costs.evaluation_seconds,
                .bound_by_reading = costs.evaluation_seconds > costs.compute_seconds,
                .methods = {},
                .remarks = {}};
  for (const OptimizerKind kind : options.optimizer.methods) {
    MethodTime method = TimeOfMethod(kind, options, plan, costs);
    time.seconds_at_most += method.seconds;
    time.methods.push_back(std::move(method));
  }
  // Rows that are kept are read once all the same.
  time.seconds_at_most += costs.rows / rates.reading_rows_per_second;
  AddRemarks(options, plan, time);
  return time;
}

}  // namespace rhohat
