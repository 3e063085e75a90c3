#include "train/stochastic_phase.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "math/vector_ops.h"
#include "objective/sparsity.h"
#include "rhohat/error.h"
#include "train/optimizer_names.h"
#include "train/result_verdict.h"

namespace rhohat {
namespace {

BatchStreamOptions StreamOf(const OptimizerOptions& options, int64_t rows, uint64_t seed) {
  return {.seed = seed,
          .batch_rows = std::min(rows, options.batch_rows),
          .mix_rows = std::max<int64_t>(1, options.mix_rows)};
}

// Rows stay with the stream: passes over all of them keep none.
SweepOptions WithoutCache(SweepOptions options) {
  options.cache_bytes = 0;
  return options;
}

// Epochs have noise of their own; that of number 0 is the exact objective's. There are 2^24.
uint32_t NoiseEpoch(int64_t epoch) { return static_cast<uint32_t>((epoch + 1) & 0xFFFFFF); }

bool IsFinite(const CostTerms& cost) { return std::isfinite(cost.total()); }

}  // namespace

template <class T>
StochasticPhase<T>::StochasticPhase(OptimizerKind kind, const PhaseSurroundings<T>& around,
                                    std::span<const T> start)
    : around_(around),
      rows_(around.source.rows()),
      stream_(around.source, around.executor, StreamOf(around.options, rows_, around.noise.seed),
              WithoutCache(around.BriefSweep()), around.transform),
      sweep_(stream_.holds_all() ? *stream_.held_rows() : around.source, around.executor,
             WithoutCache(around.sweep), stream_.holds_all() ? nullptr : around.transform),
      exact_(around.stage.shape, around.stage.network, around.stage.objective, around.noise, sweep_,
             {.schedule = around.schedule.schedule}),
      objective_(around.stage.shape, around.stage.network, around.stage.objective, around.noise,
                 around.executor, std::min(rows_, around.options.batch_rows),
                 [&source = around.source](int64_t row) { return source.Locate(row); }),
      gradient_(start.size()),
      point_(start.begin(), start.end()),
      noted_(point_),
      bytes_before_(around.source.bytes_read()) {
  MakeRule(kind, start.size());
  PlanRates(kind);
  if (around.options.rho_hat == RhoHatKind::kExact) return;
  const int64_t half_life = around.options.half_life_rows;
  running_.emplace(around.stage.shape.encoder_units(),
                   half_life > 0 ? half_life : DefaultHalfLife(around.options.batch_rows));
  objective_.SetRunning(&*running_);
}

template <class T>
void StochasticPhase<T>::MakeRule(OptimizerKind kind, size_t parameters) {
  if (kind == OptimizerKind::kAdam) {
    rule_ = std::make_unique<Adam<T>>(parameters);
  } else {
    rule_ = std::make_unique<Sgd<T>>(parameters, around_.options.momentum);
  }
}

template <class T>
int64_t StochasticPhase<T>::BatchesInEpoch() const {
  return (rows_ + around_.options.batch_rows - 1) / around_.options.batch_rows;
}

template <class T>
void StochasticPhase<T>::PlanRates(OptimizerKind kind) {
  const OptimizerOptions& options = around_.options;
  const int64_t steps = options.epochs * BatchesInEpoch();
  const double warmup = options.warmup_epochs * static_cast<double>(BatchesInEpoch());
  rate_ = {.base = LearningRateOf(kind, options),
           .cosine = options.rate_schedule == RateSchedule::kCosine,
           .warmup_steps =
               std::min(steps, static_cast<int64_t>(std::min(warmup, static_cast<double>(steps)))),
           .steps = std::max<int64_t>(1, steps)};
}

template <class T>
uint64_t StochasticPhase<T>::MemoryBytes(OptimizerKind kind, const OptimizerOptions& options,
                                         const NetworkShape& shape,
                                         const ObjectiveOptions& objective, const RowSource& source,
                                         int64_t transform_columns, int64_t threads) {
  const auto parameters = static_cast<size_t>(shape.parameters());
  const int64_t batch = std::min(source.rows(), options.batch_rows);
  const uint64_t rule = kind == OptimizerKind::kAdam ? Adam<T>::MemoryBytes(parameters)
                                                     : Sgd<T>::MemoryBytes(parameters);
  OptimizerOptions narrow = options;
  narrow.mix_rows = 1;
  return rule + 2 * parameters * sizeof(T) +
         BatchObjective<T>::MemoryBytes(shape, objective, batch, threads) +
         BatchStream<T>::MemoryBytes(source, StreamOf(narrow, source.rows(), 0), transform_columns,
                                     threads);
}

template <class T>
SweepCounts StochasticPhase<T>::counts() const {
  SweepCounts counts = sweep_.counts();
  counts.bytes_read = around_.source.bytes_read() - bytes_before_;
  counts.wait_seconds += stream_.wait_seconds();
  return counts;
}

// ---- The loop ----------------------------------------------------------------------------------

template <class T>
std::string StochasticPhase<T>::Minimise() {
  const int64_t epochs = around_.options.epochs;
  if (stream_.holds_all()) BeginStream();
  if (!has_first_line_ && !around_.progress.has_iterations()) NoteExact();
  has_first_line_ = true;
  while (epoch_ < epochs) {
    if (!running_ && exact_.has_mean_slope() && !has_rho_hat_) FindRhoHat();
    if (!is_streaming_) BeginStream();
    RunEpoch();
    if (epoch_ == 0) NoteMixing();
    ++epoch_;
    has_rho_hat_ = false;
    sums_ = {};
    // A pass for ρ̂ wants the source for itself.
    if (!running_ && !stream_.holds_all()) is_streaming_ = false;
    around_.checkpoints.Offer();
  }
  stream_.Stop();
  NoteExact();
  return fmt::format("{} epochs are done", epochs);
}

template <class T>
void StochasticPhase<T>::BeginStream() {
  const bool together = running_.has_value() || stream_.holds_all();
  stream_.Start(epoch_, together ? around_.options.epochs - epoch_ : 1, sums_.rows);
  is_streaming_ = true;
}

template <class T>
void StochasticPhase<T>::Visit(State& state) {
  state.Flag("has_first_line", has_first_line_);
  state.Number("epoch", epoch_, 0, around_.options.epochs);
  state.Flag("has_rho_hat", has_rho_hat_);
  for (const CostTermInfo& term : kCostTerms) state.Number(term.name, sums_.cost.*term.value);
  state.Number("squares", sums_.squares);
  state.Number("batches", sums_.batches, 0, rows_);
  state.Number("rows", sums_.rows, 0, rows_);
  state.Array("point", std::span(point_));
  state.Array("noted", std::span(noted_));
  rule_->Visit(state);
  objective_.Visit(state);
  if (running_) {
    const StateGroup group(state, "running");
    running_->Visit(state);
  }
  const StateGroup group(state, "exact");
  exact_.Visit(state);
}

template <class T>
void StochasticPhase<T>::NoteExact() {
  sweep_.set_rows_done([this, before = sweep_.counts().rows,
                        evaluation = around_.progress.NextEvaluation()](int64_t done) {
    if (around_.control.observer == nullptr) return;
    around_.control.observer->OnPassProgress({.evaluation = evaluation,
                                              .rows_done = sweep_.counts().rows - before + done,
                                              .rows_total = exact_.passes() * rows_});
  });
  const CostTerms cost = exact_.EvaluateWithGradient(point_, gradient_.span());
  sweep_.set_rows_done({});
  const double norm = Norm<T>(gradient_.span());
  if (!around_.progress.has_iterations() && !(IsFinite(cost) && std::isfinite(norm))) {
    throw Error(ErrorKind::kBadData,
                fmt::format("J is {}, and its gradient's norm {}, at the starting point: the "
                            "data's values or the objective's weights are too large; --prepare can "
                            "scale the data",
                            cost.total(), norm));
  }
  noted_ = point_;
  around_.progress.CountRows(static_cast<double>(rows_));
  around_.progress.Note({.cost = cost,
                         .rows_in_sample = rows_,
                         .gradient_norm = norm,
                         .rho_hat = exact_.rho_hat(),
                         .extreme_units = exact_.extreme_units()},
                        counts());
}

template <class T>
void StochasticPhase<T>::FindRhoHat() {
  objective_.SetRhoHat(exact_.FindRhoHat(point_, NoiseEpoch(epoch_)));
  has_rho_hat_ = true;
}

template <class T>
void StochasticPhase<T>::RunEpoch() {
  objective_.set_noise_epoch(NoiseEpoch(epoch_));
  evaluation_ = around_.progress.NextEvaluation();
  while (stream_.Next()) {
    Step();
    if (sums_.rows < rows_) around_.checkpoints.Offer();
  }
  NoteEpoch();
}

template <class T>
void StochasticPhase<T>::Step() {
  const std::span<const int64_t> numbers = stream_.numbers();
  const auto rows = static_cast<double>(numbers.size());
  const typename BatchObjective<T>::Batch batch{
      numbers, [this](RowRange range, std::span<T> out) { stream_.CopyRows(range, out); }};
  panel_squares_.assign(static_cast<size_t>(objective_.panels()), 0);
  rule_->BeginStep(rate_.At(rule_->steps()));
  const CostTerms cost = objective_.Evaluate(
      batch, point_, [&](int64_t panel, size_t begin, std::span<const T> gradient) {
        panel_squares_[static_cast<size_t>(panel)] =
            rule_->Update(begin, gradient, std::span(point_).subspan(begin, gradient.size()));
      });
  double squares = 0;
  for (const double part : panel_squares_) squares += part;
  if (!IsFinite(cost) || !std::isfinite(squares)) {
    ThrowDiverged(fmt::format("epoch {}, batch {}", epoch_ + 1, sums_.batches + 1),
                  "the cost or its gradient is no longer finite");
  }
  for (const CostTermInfo& term : kCostTerms) {
    sums_.cost.*term.value += rows * (cost.*term.value);
  }
  sums_.squares += squares;
  sums_.rows += std::ssize(numbers);
  ++sums_.batches;
  around_.progress.CountRows(rows);
  ReportRows(sums_.rows);
}

template <class T>
void StochasticPhase<T>::ReportRows(int64_t done) {
  if (around_.control.observer == nullptr) return;
  around_.control.observer->OnPassProgress(
      {.evaluation = evaluation_, .rows_done = done, .rows_total = rows_});
}

template <class T>
void StochasticPhase<T>::NoteEpoch() {
  CostTerms cost = sums_.cost;
  for (const CostTermInfo& term : kCostTerms) {
    cost.*term.value /= static_cast<double>(sums_.rows);
  }
  noted_ = point_;
  around_.progress.Note(
      {.cost = cost,
       .over = CostOver::kEpoch,
       .rows_in_sample = sums_.rows,
       .gradient_norm = std::sqrt(sums_.squares / static_cast<double>(sums_.batches)),
       .rho_hat = objective_.rho_hat(),
       .extreme_units =
           CountExtremeUnits<T>(objective_.rho_hat(), around_.stage.network.activation)},
      counts());
}

template <class T>
void StochasticPhase<T>::NoteMixing() {
  around_.reporter.Note(fmt::format(
      "batches of {} rows, {}: each with rows from {:.1f} of {} stretches of {} rows on average",
      around_.options.batch_rows,
      stream_.holds_all() ? "from all rows in memory"
                          : fmt::format("mixed among {} rows", around_.options.mix_rows),
      stream_.units_per_batch(), (rows_ + stream_.unit_rows() - 1) / stream_.unit_rows(),
      stream_.unit_rows()));
}

template class StochasticPhase<float>;
template class StochasticPhase<double>;

}  // namespace rhohat
