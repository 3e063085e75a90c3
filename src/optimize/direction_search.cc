// Vectors at work: the point and its gradient, the direction from there, and the trial point on it.
// The gradient at the trial point stays with the caller, who is asked to evaluate a step again in
// the rare case that a search ends with one that was not the last.
#include "optimize/direction_search.h"

#include <fmt/core.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

#include "math/vector_ops.h"

namespace rhohat {
namespace {

// A function's value changes with the square of the distance from its minimiser, so two steps
// nearer to each other than the root of T's precision have the same value.
template <class T>
LineSearchOptions SearchOptions(double curvature) {
  LineSearchOptions options;
  options.curvature = curvature;
  options.interval_tolerance = std::sqrt(static_cast<double>(std::numeric_limits<T>::epsilon()));
  return options;
}

}  // namespace

template <class T>
DirectionSearch<T>::DirectionSearch(std::span<const T> start, double curvature)
    : point_(start.begin(), start.end()),
      gradient_(start.size()),
      direction_(start.size()),
      trial_(point_),
      search_(SearchOptions<T>(curvature)) {}

template <class T>
Step DirectionSearch<T>::Tell(double cost, std::span<const T> gradient) {
  assert(gradient.size() == point_.size());
  if (phase_ == Phase::kStart) return TellStart(cost, gradient);
  if (phase_ == Phase::kExhausted) return Fail("there is no direction of descent");
  if (phase_ == Phase::kFailed) return Step::kFailed;

  const double last_step = search_.step();
  switch (search_.Update(cost, Dot<T>(gradient, direction_))) {
    case LineSearch::Status::kDone:
      return Accept(cost, gradient);
    case LineSearch::Status::kEvaluate:
      if (MoveTrial(last_step)) return Step::kSearching;
      break;
    case LineSearch::Status::kFailed:
      break;
  }
  return Recover();
}

template <class T>
void DirectionSearch<T>::ChangeFunction() {
  ForgetFunction();
  trial_ = point_;
  phase_ = Phase::kStart;
  failure_.clear();
}

template <class T>
void DirectionSearch<T>::Visit(State& state) {
  state.Choice("phase", phase_, Phase::kFailed);
  state.Text("failure", failure_);
  state.Number("cost", cost_);
  state.Array("point", std::span(point_));
  state.Array("gradient", std::span(gradient_));
  state.Array("direction", std::span(direction_));
  state.Array("trial", std::span(trial_));
  state.Flag("steepest", steepest_);
  state.Number("slope", slope_);
  const StateGroup group(state, "line_search");
  search_.Visit(state);
}

template <class T>
Step DirectionSearch<T>::TellStart(double cost, std::span<const T> gradient) {
  cost_ = cost;
  std::copy(gradient.begin(), gradient.end(), gradient_.begin());
  const double norm = Norm(gradient);
  if (!std::isfinite(cost) || !std::isfinite(norm)) {
    return Fail("the cost or its gradient is not finite at the starting point");
  }
  if (norm == 0) return Fail("the gradient vanishes at the starting point");
  BeginIteration();
  return Step::kAccepted;
}

// The trial point becomes the point.
template <class T>
Step DirectionSearch<T>::Accept(double cost, std::span<const T> gradient) {
  Learn(gradient, gradient_, direction_);
  std::swap(point_, trial_);
  std::copy(gradient.begin(), gradient.end(), gradient_.begin());
  cost_ = cost;
  BeginIteration();
  return Step::kAccepted;
}

// After a search without a result: once more, from the same point, along steepest descent.
template <class T>
Step DirectionSearch<T>::Recover() {
  if (!steepest_ && SearchSteepest()) return Step::kSearching;
  return Fail("the line search found no lower point, not even along steepest descent");
}

template <class T>
Step DirectionSearch<T>::Fail(std::string_view why) {
  phase_ = Phase::kFailed;
  failure_ = fmt::format("{} (cost {:.6g}, gradient norm {:.2g})", why, cost_, Norm<T>(gradient_));
  return Step::kFailed;
}

template <class T>
void DirectionSearch<T>::BeginIteration() {
  phase_ = Phase::kSearching;
  steepest_ = !Turn(direction_);
  if (StartSearch()) return;
  if (!steepest_ && SearchSteepest()) return;
  phase_ = Phase::kExhausted;
  trial_ = point_;
}

template <class T>
bool DirectionSearch<T>::SearchSteepest() {
  Forget();
  steepest_ = true;
  std::transform(gradient_.begin(), gradient_.end(), direction_.begin(), std::negate<T>());
  return StartSearch();
}

template <class T>
double DirectionSearch<T>::UnscaledStep() const {
  return std::min(1.0, 1 / Norm<T>(gradient_));
}

// False where direction_ does not descend, which rounding can bring about.
template <class T>
bool DirectionSearch<T>::StartSearch() {
  slope_ = Dot<T>(gradient_, direction_);
  if (search_.Start(cost_, slope_, FirstStep(slope_)) != LineSearch::Status::kEvaluate) {
    return false;
  }
  SumScaled<T>(point_, search_.step(), direction_, trial_);
  return true;
}

// False where steps have become so short that the trial point is the point itself.
template <class T>
bool DirectionSearch<T>::MoveTrial(double last_step) {
  SumScaled<T>(point_, search_.step(), direction_, trial_);
  return search_.step() > last_step || trial_ != point_;
}

template class DirectionSearch<float>;
template class DirectionSearch<double>;

}  // namespace rhohat
