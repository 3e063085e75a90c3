#include "train/progressive_phase.h"

#include <fmt/core.h>

#include <array>
#include <limits>

#include "base/units.h"

namespace rhohat {

// Ends a sample early, once it is used up. What is unseen by the first sample is evaluated every
// ten iterations to learn the gap; those of the later samples follow from how J changes as the
// sample grows.
template <class T>
class ProgressivePhase<T>::SampleRule final : public StopRule {
 public:
  SampleRule(ProgressivePhase& phase, const HeldSample& held, int64_t rows)
      : StopRule(phase.StopOptions()), phase_(phase), rows_(rows) {
    if (phase.sample_rows_ > 0) return;
    const PhaseSurroundings<T>& around = phase.around_;
    unseen_.emplace(held, RowRange{rows, 2 * rows});
    sweep_.emplace(*unseen_, around.executor, phase.SampleSweep(rows));
    objective_.emplace(around.stage.shape, around.stage.network, around.stage.objective,
                       around.noise, *sweep_);
  }

  // The run may be stopped while this measures, and asks again when it goes on: nothing else has
  // changed by then.
  std::optional<std::string> Stop(double cost, double gradient_norm) override {
    const int64_t iteration = iteration_ + 1;
    if (unseen_ && iteration >= kWindow && iteration % kWindow == 0) Measure(cost);
    iteration_ = iteration;
    if (iteration == 0 && !unseen_) {
      phase_.gap_.Grow(phase_.sample_rows_, last_sample_cost_, rows_, cost);
    }
    const double before = costs_[static_cast<size_t>(iteration % kWindow)];
    costs_[static_cast<size_t>(iteration % kWindow)] = cost;
    if (auto reason = StopRule::Stop(cost, gradient_norm)) return reason;
    if (iteration < kWindow) return std::nullopt;
    if (unseen_ && iteration % kWindow != 0) return std::nullopt;
    const bool is_last = rows_ == phase_.sizes_.back();
    if (!phase_.gap_.IsUsedUp(before - cost, is_last)) return std::nullopt;
    return fmt::format("ten iterations gained {:.2g}, and other rows cost {:.2g} more",
                       before - cost, phase_.gap_.gap());
  }

  void Visit(State& state) override {
    StopRule::Visit(state);
    const StateGroup group(state, "sample");
    state.Number("last_cost", last_sample_cost_);
    state.Number("iteration", iteration_, -1, std::numeric_limits<int64_t>::max());
    state.Array("costs", std::span(costs_));
    if (objective_) objective_->Visit(state);
  }

 private:
  static constexpr int64_t kWindow = 10;

  void Measure(double cost) {
    phase_.gap_.Measure(cost, objective_->Evaluate(phase_.lbfgs_.point()).total());
    // J alone takes less than half of what J and its gradient do.
    phase_.around_.progress.CountRows(static_cast<double>(rows_) / 2);
  }

  ProgressivePhase& phase_;
  int64_t rows_;
  double last_sample_cost_ = phase_.lbfgs_.cost();
  std::optional<SampledRows> unseen_;  // where the gap is measured on them
  std::optional<Sweep<T>> sweep_;
  std::optional<Objective<T>> objective_;
  int64_t iteration_ = -1;
  std::array<double, kWindow> costs_{};  // of iteration i at i mod kWindow
};

template <class T>
ProgressivePhase<T>::ProgressivePhase(const PhaseSurroundings<T>& around, std::span<const T> start)
    : around_(around),
      minimiser_(around, start.size(), true),
      lbfgs_(start, {.history = around.options.history}) {
  if (around.stage.iterations > 0) {
    sizes_ = SampleSizes(around.options, around.stage.shape, around.source.rows());
  }
}

template <class T>
std::string ProgressivePhase<T>::Minimise() {
  if (sizes_.empty() && around_.stage.iterations > 0) {
    around_.reporter.Note(
        "progressive: too few rows for samples, or too little memory: L-BFGS on "
        "all rows");
  }
  while (true) {
    if (!problem_) {
      if (!is_on_all() && !held_) Hold();
      BeginProblem();
      minimiser_.Begin();
      if (number_ > 0) lbfgs_.ChangeFunction();
    }
    std::string reason = MinimiseProblem();
    if (is_on_all()) return reason;
    const int64_t rows = sizes_[static_cast<size_t>(number_)];
    around_.reporter.Note(
        fmt::format("sample of {} rows: J {:.6g} over them: {}", rows, lbfgs_.cost(), reason));
    counts_ = counts();
    problem_.reset();
    sample_rows_ = rows;
    ++number_;
    if (is_on_all()) held_.reset();
    around_.checkpoints.Offer();
  }
}

template <class T>
void ProgressivePhase<T>::Hold() {
  held_ = around_.input.Sample([this] { return Gather(); });
}

template <class T>
HeldSample ProgressivePhase<T>::Gather() {
  SampleOptions options{.seed = around_.noise.seed, .rows = RowsHeldFor(sizes_)};
  options.counts = &counts_;
  if (around_.control.observer != nullptr) {
    const int64_t evaluation = around_.progress.NextEvaluation();
    options.rows_done = [this, evaluation](int64_t done) {
      around_.control.observer->OnPassProgress(
          {.evaluation = evaluation, .rows_done = done, .rows_total = around_.source.rows()});
    };
  }
  HeldSample held = GatherSample(around_.source, around_.executor, around_.BriefSweep(),
                                 around_.transform, options);
  around_.reporter.Note(fmt::format("progressive: samples of up to {} rows in {} of memory",
                                    sizes_.back(),
                                    FormatBytes(held.format.MemoryBytes(held.rows()))));
  return held;
}

template <class T>
void ProgressivePhase<T>::BeginProblem() {
  problem_.emplace();
  if (is_on_all()) {
    problem_->rule = std::make_unique<StopRule>(StopOptions());
    problem_->sweep.emplace(around_.source, around_.executor, around_.sweep, around_.transform,
                            around_.input.group());
  } else {
    const int64_t rows = sizes_[static_cast<size_t>(number_)];
    problem_->sample.emplace(*held_, RowRange{0, rows});
    problem_->rule = std::make_unique<SampleRule>(*this, *held_, rows);
    problem_->sweep.emplace(*problem_->sample, around_.executor, SampleSweep(rows));
  }
  problem_->objective.emplace(around_.stage.shape, around_.stage.network, around_.stage.objective,
                              around_.noise, *problem_->sweep, around_.schedule);
}

template <class T>
std::string ProgressivePhase<T>::MinimiseProblem() {
  return minimiser_.Minimise({*problem_->sweep, *problem_->objective,
                              is_on_all() ? CostOver::kAllRows : CostOver::kSample},
                             lbfgs_, *problem_->rule, counts_);
}

// The held rows are not saved: they are a function of seed and data, and gathered anew.
template <class T>
void ProgressivePhase<T>::Visit(State& state) {
  state.Number("problem", number_, 0, std::ssize(sizes_));
  state.Number("sample_rows", sample_rows_);
  gap_.Visit(state);
  lbfgs_.Visit(state);
  minimiser_.Visit(state);
  bool is_begun = problem_.has_value();
  state.Flag("begun", is_begun);
  if (!is_begun) return;
  if (state.loading()) {
    if (!is_on_all()) Hold();
    BeginProblem();
  }
  const StateGroup group(state, "objective");
  problem_->rule->Visit(state);
  problem_->objective->Visit(state);
}

template <class T>
SweepCounts ProgressivePhase<T>::counts() const {
  SweepCounts counts = counts_;
  if (problem_) counts += problem_->sweep->counts();
  return counts;
}

template <class T>
StopRuleOptions ProgressivePhase<T>::StopOptions() const {
  return {.iterations = around_.stage.iterations,
          .tolerance = around_.options.tolerance,
          .gradient_tolerance = around_.options.gradient_tolerance};
}

template <class T>
SweepOptions ProgressivePhase<T>::SampleSweep(int64_t rows) const {
  SweepOptions options = around_.sweep;
  options.cache_bytes = 0;
  options.block_rows = SampleBlockRows(rows, options.lanes, options.block_rows);
  return options;
}

template class ProgressivePhase<float>;
template class ProgressivePhase<double>;

}  // namespace rhohat
