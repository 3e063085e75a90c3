#include "optimize/gradient_descent.h"

#include <fmt/core.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstdint>

#include "base/units.h"
#include "math/vector_ops.h"
#include "rhohat/error.h"

namespace rhohat {

template <class T>
GradientDescent<T>::GradientDescent(std::span<const T> start, const GradientDescentOptions& options)
    : options_(options),
      point_(start.begin(), start.end()),
      gradient_(start.size()),
      velocity_(start.size()),
      trial_(point_) {
  if (!(options.learning_rate > 0 && std::isfinite(options.learning_rate))) {
    throw Error(ErrorKind::kUsage,
                fmt::format("learning rate of gradient descent: expected more than 0, found {}",
                            options.learning_rate));
  }
  if (!(options.momentum >= 0 && options.momentum < 1)) {
    throw Error(ErrorKind::kUsage,
                fmt::format("momentum of gradient descent: expected 0 or more and less than 1, "
                            "found {}",
                            options.momentum));
  }
}

template <class T>
size_t GradientDescent<T>::MemoryBytes(size_t parameters) {
  return static_cast<size_t>(
      CheckedProduct(static_cast<int64_t>(parameters), 4 * sizeof(T), "gradient descent state"));
}

template <class T>
Step GradientDescent<T>::Tell(double cost, std::span<const T> gradient) {
  assert(gradient.size() == point_.size());
  if (!failure_.empty()) return Step::kFailed;
  const double norm = Norm(gradient);
  if (!std::isfinite(cost) || !std::isfinite(norm)) {
    return Fail(started_ ? "the cost or its gradient is no longer finite"
                         : "the cost or its gradient is not finite at the starting point");
  }
  if (!started_ && norm == 0) return Fail("the gradient vanishes at the starting point");
  started_ = true;

  cost_ = cost;
  std::swap(point_, trial_);
  std::copy(gradient.begin(), gradient.end(), gradient_.begin());
  Scale<T>(options_.momentum, velocity_);
  AddScaled<T>(-options_.learning_rate, gradient_, velocity_);
  SumScaled<T>(point_, 1, velocity_, trial_);
  return Step::kAccepted;
}

template <class T>
void GradientDescent<T>::Visit(State& state) {
  state.Flag("started", started_);
  state.Text("failure", failure_);
  state.Number("cost", cost_);
  state.Array("point", std::span(point_));
  state.Array("gradient", std::span(gradient_));
  state.Array("velocity", std::span(velocity_));
  state.Array("trial", std::span(trial_));
}

template <class T>
Step GradientDescent<T>::Fail(std::string_view why) {
  failure_ = why;
  return Step::kFailed;
}

template class GradientDescent<float>;
template class GradientDescent<double>;

}  // namespace rhohat
