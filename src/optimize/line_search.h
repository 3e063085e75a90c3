// The line search of Moré and Thuente, turned inside out.
//
// Along a descent direction the function is φ(α), with φ'(0) < 0. The search looks for a step α
// that satisfies the strong Wolfe conditions with 0 < c1 < c2 < 1:
//
//   φ(α) ≤ φ(0) + c1 α φ'(0)     sufficient decrease
//   |φ'(α)| ≤ c2 |φ'(0)|         curvature
//
// by the algorithm of J. J. Moré and D. J. Thuente, "Line search algorithms with guaranteed
// sufficient decrease", ACM Transactions on Mathematical Software 20 (1994), 286–307. It keeps an
// interval that is known to hold such steps once one end has been seen to be too far, chooses trial
// steps from cubics and parabolas through its ends, and forces the interval to shrink.
//
// The search calls nobody. step() is where to evaluate, Update() takes what was found there, and
// all that it knows between two evaluations is in plain members, so a search in progress can be
// copied, and saved. Steps, values and slopes are double whatever the precision of the vectors.
#pragma once

#include <cstdint>
#include <limits>

#include "base/state.h"

namespace rhohat {

struct LineSearchOptions {
  double sufficient_decrease = 1e-4;  // c1, in (0, c2)
  double curvature = 0.9;             // c2, in (c1, 1)
  // The search ends where the interval's width falls to this fraction of its upper end.
  double interval_tolerance = 1e-10;
  double min_step = 1e-20;
  double max_step = 1e20;
  int64_t max_evaluations = 20;  // trial steps with a finite value
  int64_t max_retreats = 30;     // trial steps without one, each followed by a step nearer to 0
};

// Value and slope of φ at one step.
struct LineSample {
  double step = 0;
  double cost = 0;
  double slope = 0;

  void Visit(State& state);
};

class LineSearch {
 public:
  enum class Status {
    kEvaluate,  // evaluate at step() next
    kDone,      // step(), just evaluated, is the result: both conditions hold, or else only
                // sufficient decrease and rounding, max_step or max_evaluations stops the search
    kFailed,    // no step with sufficient decrease was found
  };

  LineSearch() = default;
  explicit LineSearch(const LineSearchOptions& options) : options_(options) {}

  // Begins a search from φ(0) = cost, φ'(0) = slope; fails at once unless both are finite and
  // slope < 0. The first trial step is initial_step, moved into [min_step, max_step].
  Status Start(double cost, double slope, double initial_step);

  double step() const { return step_; }

  // φ and φ' at step(). Where either is not finite the step is out of the function's domain.
  Status Update(double cost, double slope);

  // All that it knows but for its options.
  void Visit(State& state);

 private:
  bool SufficientDecrease(const LineSample& sample) const;
  bool StrongWolfe(const LineSample& sample) const;
  LineSample Auxiliary(const LineSample& sample) const;

  void Advance(const LineSample& trial);
  double StepAfter(const LineSample& best, const LineSample& other, const LineSample& trial) const;
  void MoveInterval(const LineSample& best, const LineSample& trial, const LineSample& raw_trial);
  void ForceShrinking();
  bool IntervalExhausted() const;
  Status Retreat();
  Status SettleForBest();

  LineSearchOptions options_;

  double step_ = 0;               // the trial step
  LineSample origin_;             // φ at 0
  LineSample best_;               // the end of the interval with the lowest value so far
  LineSample other_;              // its other end, once bracketed_
  bool bracketed_ = false;        // the interval between best_ and other_ holds a minimiser
  bool auxiliary_stage_ = false;  // no step with sufficient decrease and an upward slope was seen
  bool settling_ = false;         // step_ is best_.step again: the search ends with this evaluation
  double last_width_ = 0;         // the interval's width one and two trial steps ago
  double width_before_last_ = 0;
  double wall_ = std::numeric_limits<double>::infinity();  // least step known to be out of domain
  int64_t evaluations_ = 0;
  int64_t retreats_ = 0;
};

}  // namespace rhohat
