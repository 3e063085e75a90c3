// The ring of pairs, and the recursion that turns it into a direction.
#include "optimize/lbfgs.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/units.h"
#include "math/vector_ops.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

// The line search's c2: loose, since a step of 1 along a quasi-Newton direction is mostly good.
constexpr double kCurvature = 0.9;

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
    : DirectionSearch<T>(start, kCurvature),
      parameters_(start.size()),
      history_(CheckedHistory(options.history)),
      point_changes_(HistoryElements(start.size(), history_)),
      gradient_changes_(point_changes_.size()),
      curvatures_(static_cast<size_t>(history_)),
      weights_(static_cast<size_t>(history_)) {}

template <class T>
size_t Lbfgs<T>::MemoryBytes(size_t parameters, int64_t history) {
  constexpr std::string_view kWhat = "L-BFGS state";
  const int64_t in_history = CheckedProduct(2, CheckedHistory(history), kWhat);
  const int64_t vector_bytes = CheckedProduct(static_cast<int64_t>(parameters), sizeof(T), kWhat);
  const int64_t vectors =
      CheckedProduct(in_history + DirectionSearch<T>::kVectors, vector_bytes, kWhat);
  const int64_t scalars = CheckedProduct(in_history, sizeof(double), kWhat);
  return static_cast<size_t>(vectors) + static_cast<size_t>(scalars);
}

// Pairs stay in their slots; empty slots are not saved.
template <class T>
void Lbfgs<T>::Visit(State& state) {
  DirectionSearch<T>::Visit(state);
  state.Number("pairs", pairs_, 0, history_);
  state.Number("newest", newest_, 0, history_ - 1);
  state.Number("scaling", scaling_);
  for (int64_t age = pairs_ - 1; age >= 0; --age) {
    const size_t slot = Slot(age);
    const StateGroup group(state, fmt::format("pair{}", slot));
    state.Array("point_change", PointChange(slot));
    state.Array("gradient_change", GradientChange(slot));
    state.Number("curvature", curvatures_[slot]);
  }
}

// The two-loop recursion, run on −∇f so that its result is the direction itself.
template <class T>
bool Lbfgs<T>::Turn(std::span<T> direction) {
  const std::span<const T> gradient = this->gradient();
  std::transform(gradient.begin(), gradient.end(), direction.begin(), std::negate<T>());
  if (pairs_ == 0) return false;
  for (int64_t age = 0; age < pairs_; ++age) {
    const size_t slot = Slot(age);
    weights_[slot] = Dot<T>(PointChange(slot), direction) / curvatures_[slot];
    AddScaled<T>(-weights_[slot], GradientChange(slot), direction);
  }
  Scale<T>(scaling_, direction);
  for (int64_t age = pairs_ - 1; age >= 0; --age) {
    const size_t slot = Slot(age);
    const double correction = Dot<T>(GradientChange(slot), direction) / curvatures_[slot];
    AddScaled<T>(weights_[slot] - correction, PointChange(slot), direction);
  }
  return true;
}

template <class T>
double Lbfgs<T>::FirstStep(double /*slope*/) const {
  return pairs_ > 0 ? 1 : this->UnscaledStep();
}

// Keeps the changes of this iteration, unless rounding, or a search that ended without the
// curvature condition, has left them without positive curvature. They are worked out in place of
// the direction and the old gradient until they are known to be worth keeping.
template <class T>
void Lbfgs<T>::Learn(std::span<const T> gradient, std::span<T> last_gradient,
                     std::span<T> direction) {
  SumScaled<T>(this->trial(), -1, this->point(), direction);
  SumScaled<T>(gradient, -1, last_gradient, last_gradient);
  const double curvature = Dot<T>(direction, last_gradient);
  const double gradient_change = Norm<T>(last_gradient);
  const double least = std::numeric_limits<T>::epsilon() * Norm<T>(direction) * gradient_change;
  if (!(curvature > least) || !std::isfinite(curvature)) return;
  newest_ = (newest_ + 1) % history_;
  pairs_ = std::min(pairs_ + 1, history_);
  const size_t slot = Slot(0);
  std::copy(direction.begin(), direction.end(), PointChange(slot).begin());
  std::copy(last_gradient.begin(), last_gradient.end(), GradientChange(slot).begin());
  curvatures_[slot] = curvature;
  scaling_ = curvature / (gradient_change * gradient_change);
}

template <class T>
size_t Lbfgs<T>::Slot(int64_t age) const {
  return static_cast<size_t>((newest_ - age + history_) % history_);
}

template <class T>
std::span<T> Lbfgs<T>::PointChange(size_t slot) {
  return std::span<T>(point_changes_).subspan(slot * parameters_, parameters_);
}

template <class T>
std::span<T> Lbfgs<T>::GradientChange(size_t slot) {
  return std::span<T>(gradient_changes_).subspan(slot * parameters_, parameters_);
}

template class Lbfgs<float>;
template class Lbfgs<double>;

}  // namespace rhohat
