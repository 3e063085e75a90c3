#include "train/training_stage.h"

#include <fmt/core.h>

#include <algorithm>

#include "train/batch_phase.h"
#include "train/optimizer_names.h"
#include "train/progressive_phase.h"
#include "train/result_verdict.h"
#include "train/stochastic_phase.h"

namespace rhohat {

template <class T>
TrainingStage<T>::TrainingStage(const PhaseSurroundings<T>& around, std::span<const T> start)
    : around_(around), point_(start.begin(), start.end()) {}

template <class T>
std::unique_ptr<Phase<T>> TrainingStage<T>::MakePhase() const {
  around_.progress.BeginMethod(InfoOf(kind()).name);
  const std::span<const T> start(point_);
  if (kind() == OptimizerKind::kProgressive) {
    return std::make_unique<ProgressivePhase<T>>(around_, start);
  }
  if (IsStochastic(kind())) return std::make_unique<StochasticPhase<T>>(kind(), around_, start);
  return std::make_unique<BatchPhase<T>>(kind(), around_, start);
}

template <class T>
std::string TrainingStage<T>::Minimise() {
  const int64_t methods = std::ssize(around_.options.methods);
  for (; method_ < methods; ++method_) {
    RunPhase();
    EndPhase();
  }
  return reasons_;
}

// The state of a method that is over is saved before it is gone: the border between two methods,
// and at last what the run came to.
template <class T>
void TrainingStage<T>::RunPhase() {
  if (!phase_) {
    iteration_before_ = around_.progress.iteration();
    phase_ = MakePhase();
  }
  if (phase_is_over_) return;
  phase_reason_ = phase_->Minimise();
  ThrowIfDiverged();
  phase_is_over_ = true;
  around_.checkpoints.SaveNow();
}

// What the phase came to stays, and its memory is free for the next.
template <class T>
void TrainingStage<T>::EndPhase() {
  around_.progress.EndPhase(phase_->counts());
  const std::span<const T> result = point();
  if (result.data() != point_.data()) point_.assign(result.begin(), result.end());
  WarnIfStuck();
  WarnIfUseless();
  const bool is_only = around_.options.methods.size() == 1;
  reasons_ += is_only ? phase_reason_
                      : fmt::format("{}{}: {}", reasons_.empty() ? "" : "; ", InfoOf(kind()).name,
                                    phase_reason_);
  phase_.reset();
  phase_is_over_ = false;
}

template <class T>
std::span<const T> TrainingStage<T>::point() const {
  const bool has_moved = phase_ && around_.progress.iteration() != iteration_before_;
  return has_moved ? phase_->point() : std::span<const T>(point_);
}

template <class T>
void TrainingStage<T>::Visit(State& state) {
  state.Number("method", method_, 0, std::ssize(around_.options.methods) - 1);
  state.Number("iteration_before", iteration_before_);
  state.Text("reasons", reasons_);
  state.Text("phase_reason", phase_reason_);
  state.Flag("phase_is_over", phase_is_over_);
  state.Array("start", std::span(point_));
  bool has_phase = phase_ != nullptr;
  state.Flag("has_phase", has_phase);
  if (!has_phase) return;
  if (state.loading()) phase_ = MakePhase();
  const StateGroup group(state, "phase");
  phase_->Visit(state);
}

// How J rose since that iteration, over all rows, where it did by more than the fraction.
template <class T>
std::string TrainingStage<T>::RiseSince(int64_t iteration, double fraction) const {
  const auto began = around_.reporter.MetricsOf(iteration);
  return began ? RiseBetween(*began, around_.progress.last(), fraction) : "";
}

// The iteration that the method began at. By mini-batches only a stage's first method has a line of
// its own for that.
template <class T>
int64_t TrainingStage<T>::first_iteration() const {
  return method_ > 0 && IsStochastic(kind()) ? iteration_before_ : iteration_before_ + 1;
}

// Gradient descent takes every step, whether J falls or not: it diverged where J has doubled since
// it began. Over fewer iterations J may double by the swing of its momentum.
template <class T>
void TrainingStage<T>::ThrowIfDiverged() const {
  if (kind() != OptimizerKind::kGradientDescent) return;
  const std::string rise = RiseSince(first_iteration(), kDivergingRise);
  if (!rise.empty()) ThrowDiverged(InfoOf(kind()).name, rise);
}

// How J has doubled over the last iterations, which gradient descent may leave it at.
template <class T>
std::string TrainingStage<T>::RecentRise() const {
  if (kind() != OptimizerKind::kGradientDescent) return "";
  constexpr int64_t kRecent = 10;  // as the stop rule has it
  const int64_t recent = around_.progress.iteration() - kRecent;
  return recent > first_iteration() ? RiseSince(recent, kDivergingRise) : "";
}

template <class T>
void TrainingStage<T>::WarnIfUseless() {
  const bool has_rate = IsStochastic(kind()) || kind() == OptimizerKind::kGradientDescent;
  const char* const way_out = has_rate ? "; try a smaller --learning-rate" : "";
  for (const std::string& fault :
       {RiseSince(first_iteration(), kNoticeableRise), RecentRise(),
        Saturation(around_.progress.rho_hat(), around_.stage.network.activation)}) {
    if (!fault.empty()) {
      around_.reporter.Warn(fmt::format("{}: {}{}", InfoOf(kind()).name, fault, way_out));
    }
  }
}

template <class T>
void TrainingStage<T>::WarnIfStuck() {
  const StageProgress& progress = around_.progress;
  if (IsStochastic(kind()) || around_.stage.iterations == 0) return;
  if (progress.iteration() != iteration_before_ + 1 ||
      progress.gradient_norm() <= around_.options.gradient_tolerance) {
    return;
  }
  around_.reporter.Warn("no step lowered J: the model is the starting point");
}

template class TrainingStage<float>;
template class TrainingStage<double>;

}  // namespace rhohat
