// The loop around a batch method: evaluate, let the optimiser step, note the iteration, ask whether
// to stop.
#pragma once

#include <string>

#include "base/aligned_buffer.h"
#include "optimize/optimizer.h"
#include "optimize/stop_rule.h"
#include "train/phase.h"

namespace rhohat {

// What is minimised: an objective over the rows of its sweep, which are all rows or a sample.
template <class T>
struct BatchProblem {
  Sweep<T>& sweep;
  Objective<T>& objective;
  CostOver over = CostOver::kAllRows;
};

template <class T>
class BatchMinimiser {
 public:
  // `settles` says that the optimiser keeps the lowest point that it has seen, so that a trial out
  // of bounds is not the end of it. The gradient is allocated here.
  BatchMinimiser(const PhaseSurroundings<T>& around, size_t parameters, bool settles);

  // Begins with another problem.
  void Begin() { noted_ = false; }

  // Goes on until `stop_rule` or the optimiser says so, and returns what it said. `counts` are
  // those of the phase before this problem. Throws Error, or Stopped.
  std::string Minimise(const BatchProblem<T>& problem, Optimizer<T>& optimizer, StopRule& stop_rule,
                       const SweepCounts& counts = {});

  void Visit(State& state);

 private:
  CostTerms EvaluateTrial(const BatchProblem<T>& problem, const Optimizer<T>& optimizer);
  void Note(const BatchProblem<T>& problem, const CostTerms& cost, const SweepCounts& before);
  void WatchPasses(const BatchProblem<T>& problem);
  [[noreturn]] void ThrowNotFinite(const CostTerms& cost, const Optimizer<T>& optimizer) const;
  [[noreturn]] void ThrowOutOfBounds(const Optimizer<T>& optimizer) const;

  const PhaseSurroundings<T>& around_;
  bool settles_;
  AlignedBuffer<T> gradient_;
  bool noted_ = false;     // a line of this problem
  bool must_ask_ = false;  // whether to stop after the last line was not asked yet
  double cost_ = 0;        // of the last line
  double gradient_norm_ = 0;
};

}  // namespace rhohat
