// Vectors at work, besides the ring of pairs: the point and its gradient, the direction from there,
// and the trial point on it. The gradient at the trial point stays with the caller, who is asked to
// evaluate a step again in the rare case that a search ends with one that was not the last.
#include "optimize/lbfgs.h"

#include <fmt/core.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <functional>
#include <limits>

#include "base/units.h"
#include "math/vector_ops.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

// A function's value changes with the square of the distance from its minimiser, so two steps
// nearer to each other than the root of T's precision have the same value.
template <class T>
LineSearchOptions SearchOptions() {
  LineSearchOptions options;
  options.interval_tolerance = std::sqrt(static_cast<double>(std::numeric_limits<T>::epsilon()));
  return options;
}

size_t HistoryElements(size_t parameters, int64_t history) {
  return static_cast<size_t>(
      CheckedProduct(static_cast<int64_t>(parameters), history, "L-BFGS history"));
}

int64_t CheckedHistory(int64_t history) {
  if (history >= 1) return history;
  throw Error(ErrorKind::kUsage,
              fmt::format("history of L-BFGS: expected at least 1, found {}", history));
}

}  // namespace

template <class T>
Lbfgs<T>::Lbfgs(std::span<const T> start, const LbfgsOptions& options)
    : history_(CheckedHistory(options.history)),
      point_(start.begin(), start.end()),
      gradient_(start.size()),
      direction_(start.size()),
      trial_(point_),
      search_(SearchOptions<T>()),
      point_changes_(HistoryElements(start.size(), history_)),
      gradient_changes_(point_changes_.size()),
      curvatures_(static_cast<size_t>(history_)),
      weights_(static_cast<size_t>(history_)) {}

template <class T>
size_t Lbfgs<T>::MemoryBytes(size_t parameters, int64_t history) {
  constexpr std::string_view kWhat = "L-BFGS state";
  const int64_t in_history = CheckedProduct(2, CheckedHistory(history), kWhat);
  const int64_t vector_bytes = CheckedProduct(static_cast<int64_t>(parameters), sizeof(T), kWhat);
  const int64_t vectors = CheckedProduct(in_history + 4, vector_bytes, kWhat);
  const int64_t scalars = CheckedProduct(in_history, sizeof(double), kWhat);
  return static_cast<size_t>(vectors) + static_cast<size_t>(scalars);
}

template <class T>
Step Lbfgs<T>::Tell(double cost, std::span<const T> gradient) {
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
Step Lbfgs<T>::TellStart(double cost, std::span<const T> gradient) {
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
Step Lbfgs<T>::Accept(double cost, std::span<const T> gradient) {
  LearnPair(gradient);
  std::swap(point_, trial_);
  std::copy(gradient.begin(), gradient.end(), gradient_.begin());
  cost_ = cost;
  BeginIteration();
  return Step::kAccepted;
}

// After a search without a result: once more, from the same point, along steepest descent.
template <class T>
Step Lbfgs<T>::Recover() {
  const bool was_steepest = pairs_ == 0;
  pairs_ = 0;
  if (!was_steepest && SearchSteepest()) return Step::kSearching;
  return Fail("the line search found no lower point, not even along steepest descent");
}

template <class T>
Step Lbfgs<T>::Fail(std::string_view why) {
  phase_ = Phase::kFailed;
  failure_ = fmt::format("{} (cost {:.6g}, gradient norm {:.2g})", why, cost_, Norm<T>(gradient_));
  return Step::kFailed;
}

template <class T>
void Lbfgs<T>::BeginIteration() {
  phase_ = Phase::kSearching;
  if (pairs_ > 0 && SearchQuasiNewton()) return;
  pairs_ = 0;
  if (SearchSteepest()) return;
  phase_ = Phase::kExhausted;
  trial_ = point_;
}

template <class T>
bool Lbfgs<T>::SearchSteepest() {
  std::transform(gradient_.begin(), gradient_.end(), direction_.begin(), std::negate<T>());
  return StartSearch(std::min(1.0, 1 / Norm<T>(gradient_)));
}

// The two-loop recursion, run on −∇f so that its result is the direction itself.
template <class T>
bool Lbfgs<T>::SearchQuasiNewton() {
  std::transform(gradient_.begin(), gradient_.end(), direction_.begin(), std::negate<T>());
  for (int64_t age = 0; age < pairs_; ++age) {
    const size_t slot = Slot(age);
    weights_[slot] = Dot<T>(PointChange(slot), direction_) / curvatures_[slot];
    AddScaled<T>(-weights_[slot], GradientChange(slot), direction_);
  }
  Scale<T>(scaling_, direction_);
  for (int64_t age = pairs_ - 1; age >= 0; --age) {
    const size_t slot = Slot(age);
    const double correction = Dot<T>(GradientChange(slot), direction_) / curvatures_[slot];
    AddScaled<T>(weights_[slot] - correction, PointChange(slot), direction_);
  }
  return StartSearch(1);
}

// False where direction_ does not descend, which rounding can bring about.
template <class T>
bool Lbfgs<T>::StartSearch(double initial_step) {
  const double slope = Dot<T>(gradient_, direction_);
  if (search_.Start(cost_, slope, initial_step) != LineSearch::Status::kEvaluate) return false;
  SumScaled<T>(point_, search_.step(), direction_, trial_);
  return true;
}

// False where steps have become so short that the trial point is the point itself.
template <class T>
bool Lbfgs<T>::MoveTrial(double last_step) {
  SumScaled<T>(point_, search_.step(), direction_, trial_);
  return search_.step() > last_step || trial_ != point_;
}

// Keeps the changes of this iteration, unless rounding, or a search that ended without the
// curvature condition, has left them without positive curvature. Whoever calls this is about to
// overwrite direction_ and gradient_, which hold the changes until they are known to be worth
// keeping.
template <class T>
void Lbfgs<T>::LearnPair(std::span<const T> gradient) {
  SumScaled<T>(trial_, -1, point_, direction_);
  SumScaled<T>(gradient, -1, gradient_, gradient_);
  const double curvature = Dot<T>(direction_, gradient_);
  const double gradient_change = Norm<T>(gradient_);
  const double least = std::numeric_limits<T>::epsilon() * Norm<T>(direction_) * gradient_change;
  if (!(curvature > least) || !std::isfinite(curvature)) return;
  newest_ = (newest_ + 1) % history_;
  pairs_ = std::min(pairs_ + 1, history_);
  const size_t slot = Slot(0);
  std::copy(direction_.begin(), direction_.end(), PointChange(slot).begin());
  std::copy(gradient_.begin(), gradient_.end(), GradientChange(slot).begin());
  curvatures_[slot] = curvature;
  scaling_ = curvature / (gradient_change * gradient_change);
}

template <class T>
size_t Lbfgs<T>::Slot(int64_t age) const {
  return static_cast<size_t>((newest_ - age + history_) % history_);
}

template <class T>
std::span<T> Lbfgs<T>::PointChange(size_t slot) {
  return std::span<T>(point_changes_).subspan(slot * point_.size(), point_.size());
}

template <class T>
std::span<T> Lbfgs<T>::GradientChange(size_t slot) {
  return std::span<T>(gradient_changes_).subspan(slot * point_.size(), point_.size());
}

template class Lbfgs<float>;
template class Lbfgs<double>;

}  // namespace rhohat
