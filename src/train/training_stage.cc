#include "train/training_stage.h"

#include <fmt/core.h>

#include "rhohat/error.h"
#include "train/batch_phase.h"
#include "train/optimizer_names.h"
#include "train/progressive_phase.h"
#include "train/stochastic_phase.h"

namespace rhohat {

template <class T>
TrainingStage<T>::TrainingStage(const PhaseSurroundings<T>& around, std::span<const T> start)
    : around_(around), point_(start.begin(), start.end()) {}

template <class T>
std::unique_ptr<Phase<T>> TrainingStage<T>::MakePhase(OptimizerKind kind) const {
  if (kind == OptimizerKind::kProgressive) {
    return std::make_unique<ProgressivePhase<T>>(around_, std::span<const T>(point_));
  }
  if (IsStochastic(kind)) {
    return std::make_unique<StochasticPhase<T>>(kind, around_, std::span<const T>(point_));
  }
  return std::make_unique<BatchPhase<T>>(kind, around_, std::span<const T>(point_));
}

template <class T>
std::string TrainingStage<T>::Minimise() {
  const std::vector<OptimizerKind>& methods = around_.options.methods;
  std::string reasons;
  for (const OptimizerKind kind : methods) {
    std::string reason = RunPhase(kind);
    if (methods.size() == 1) return reason;
    reasons += fmt::format("{}{}: {}", reasons.empty() ? "" : "; ", InfoOf(kind).name, reason);
  }
  return reasons;
}

// However a phase ends, what it came to stays and its memory is free for the next.
template <class T>
std::string TrainingStage<T>::RunPhase(OptimizerKind kind) {
  around_.progress.BeginMethod(InfoOf(kind).name);
  const int64_t iteration_before = around_.progress.iteration();
  const std::unique_ptr<Phase<T>> phase = MakePhase(kind);
  const auto take_over = [&] {
    around_.progress.EndPhase(phase->counts());
    if (around_.progress.iteration() == iteration_before) return;
    point_.assign(phase->point().begin(), phase->point().end());
  };
  try {
    std::string reason = phase->Minimise();
    take_over();
    WarnIfStuck(kind, iteration_before);
    return reason;
  } catch (...) {
    take_over();
    throw;
  }
}

template <class T>
void TrainingStage<T>::WarnIfStuck(OptimizerKind kind, int64_t iteration_before) {
  const StageProgress& progress = around_.progress;
  if (IsStochastic(kind) || around_.stage.iterations == 0) return;
  if (progress.iteration() != iteration_before + 1 ||
      progress.gradient_norm() <= around_.options.gradient_tolerance) {
    return;
  }
  around_.reporter.Warn("no step lowered J: the model is the starting point");
}

template class TrainingStage<float>;
template class TrainingStage<double>;

}  // namespace rhohat
