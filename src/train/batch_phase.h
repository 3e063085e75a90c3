// A batch method: every step from J and its gradient over all rows.
#pragma once

#include <memory>

#include "train/batch_minimiser.h"

namespace rhohat {

template <class T>
class BatchPhase : public Phase<T> {
 public:
  // `kind` is kLbfgs, kConjugateGradient or kGradientDescent.
  BatchPhase(OptimizerKind kind, const PhaseSurroundings<T>& around, std::span<const T> start);

  std::string Minimise() override;
  void Visit(State& state) override;
  std::span<const T> point() const override { return optimizer_->point(); }
  SweepCounts counts() const override { return sweep_.counts(); }

 private:
  const PhaseSurroundings<T>& around_;
  Sweep<T> sweep_;
  Objective<T> objective_;
  BatchMinimiser<T> minimiser_;
  StopRule stop_rule_;
  std::unique_ptr<Optimizer<T>> optimizer_;
};

}  // namespace rhohat
