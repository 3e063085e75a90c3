// Two constants work together: c2 = 0.1 in the line search, and gradients that are as orthogonal as
// kOrthogonality demands. With σ_k = −g_kᵀd_k / ‖g_k‖² they give |σ_k − 1| ≤ 0.12 σ_{k−1}, so that
// every direction descends, with σ_k > 0.86. Only after a search that had to end without the
// curvature condition may one fail to; DirectionSearch then takes −∇f instead.
#include "optimize/conjugate_gradient.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "base/units.h"
#include "math/vector_ops.h"

namespace rhohat {
namespace {

// The line search's c2, tight: β takes it that the search went to the minimum along the line.
constexpr double kCurvature = 0.1;
// Powell's limit for |g_kᵀ g_{k−1}| / ‖g_k‖². The cut-off of β at 0, where this is 1 or more, is
// part of it.
constexpr double kOrthogonality = 0.2;
// The first step is at most that many times the last one, for a gradient that happens to be tiny
// must not send the trial point far away.
constexpr double kMostGrowth = 10;

}  // namespace

template <class T>
ConjugateGradient<T>::ConjugateGradient(std::span<const T> start)
    : DirectionSearch<T>(start, kCurvature) {}

template <class T>
size_t ConjugateGradient<T>::MemoryBytes(size_t parameters) {
  return static_cast<size_t>(CheckedProduct(static_cast<int64_t>(parameters),
                                            DirectionSearch<T>::kVectors * sizeof(T),
                                            "conjugate gradient state"));
}

template <class T>
void ConjugateGradient<T>::Visit(State& state) {
  DirectionSearch<T>::Visit(state);
  state.Number("beta", beta_);
  state.Number("last_step", last_step_);
  state.Number("last_slope", last_slope_);
}

template <class T>
void ConjugateGradient<T>::Learn(std::span<const T> gradient, std::span<T> last_gradient,
                                 std::span<T> /*direction*/) {
  const double square = Dot<T>(gradient, gradient);
  const double overlap = Dot<T>(gradient, last_gradient);
  const bool orthogonal = std::abs(overlap) < kOrthogonality * square;
  beta_ = orthogonal ? (square - overlap) / Dot<T>(last_gradient, last_gradient) : 0;
  last_step_ = this->step();
  last_slope_ = this->slope();
}

template <class T>
bool ConjugateGradient<T>::Turn(std::span<T> direction) {
  Scale<T>(beta_, direction);
  AddScaled<T>(-1, this->gradient(), direction);
  return beta_ > 0;
}

// The step that is as promising, to first order, as the last one was: α φ'(0) is the same (Nocedal
// and Wright, section 3.5).
template <class T>
double ConjugateGradient<T>::FirstStep(double slope) const {
  if (last_step_ == 0) return this->UnscaledStep();
  return last_step_ * std::min(last_slope_ / slope, kMostGrowth);
}

template <class T>
void ConjugateGradient<T>::Forget() {
  beta_ = 0;
  last_step_ = 0;
}

template class ConjugateGradient<float>;
template class ConjugateGradient<double>;

}  // namespace rhohat
