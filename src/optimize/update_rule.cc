#include "optimize/update_rule.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/units.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

void CheckFraction(const char* what, double value) {
  if (value >= 0 && value < 1) return;
  throw Error(ErrorKind::kUsage,
              fmt::format("{}: expected 0 or more and less than 1, found {}", what, value));
}

template <class T>
AlignedBuffer<T> Zeros(size_t size) {
  AlignedBuffer<T> zeros(size);
  std::ranges::fill(zeros.span(), T(0));
  return zeros;
}

size_t VectorBytes(size_t parameters, int64_t vectors, size_t element_bytes) {
  return static_cast<size_t>(CheckedProduct(static_cast<int64_t>(parameters),
                                            vectors * static_cast<int64_t>(element_bytes),
                                            "the optimiser's state"));
}

}  // namespace

template <class T>
void UpdateRule<T>::BeginStep(double rate) {
  ++steps_;
  PrepareStep(rate, steps_);
}

template <class T>
void UpdateRule<T>::Visit(State& state) {
  state.Number("steps", steps_, 0, std::numeric_limits<int64_t>::max() / 2);
}

// ---- SGD ---------------------------------------------------------------------------------------

template <class T>
Sgd<T>::Sgd(size_t parameters, double momentum)
    : momentum_(static_cast<T>(momentum)), velocity_(Zeros<T>(parameters)) {
  CheckFraction("momentum of SGD", momentum);
}

template <class T>
size_t Sgd<T>::MemoryBytes(size_t parameters) {
  return VectorBytes(parameters, 1, sizeof(T));
}

template <class T>
void Sgd<T>::PrepareStep(double rate, int64_t /*step*/) {
  rate_ = static_cast<T>(rate);
}

template <class T>
double Sgd<T>::Update(size_t begin, std::span<const T> gradient, std::span<T> point) {
  return BestKernels<T>().momentum_step(rate_, momentum_, gradient.data(), velocity_.data() + begin,
                                        point.data(), std::ssize(gradient));
}

template <class T>
void Sgd<T>::Visit(State& state) {
  UpdateRule<T>::Visit(state);
  state.Array("velocity", velocity_.span());
}

// ---- Adam --------------------------------------------------------------------------------------

template <class T>
Adam<T>::Adam(size_t parameters, const AdamOptions& options)
    : options_(options), mean_(Zeros<T>(parameters)), square_(Zeros<T>(parameters)) {
  CheckFraction("β1 of Adam", options.mean_decay);
  CheckFraction("β2 of Adam", options.square_decay);
  if (!(options.epsilon > 0 && std::isfinite(options.epsilon))) {
    throw Error(ErrorKind::kUsage,
                fmt::format("ε of Adam: expected more than 0, found {}", options.epsilon));
  }
}

template <class T>
size_t Adam<T>::MemoryBytes(size_t parameters) {
  return VectorBytes(parameters, 2, sizeof(T));
}

// α m̂ / (√v̂ + ε), with m̂ = m / (1 − β1ᵗ) and v̂ = v / (1 − β2ᵗ).
template <class T>
void Adam<T>::PrepareStep(double rate, int64_t step) {
  const auto power = static_cast<double>(step);
  const double mean_correction = 1 - std::pow(options_.mean_decay, power);
  const double square_correction = 1 - std::pow(options_.square_decay, power);
  step_ = {.rate = static_cast<T>(rate / mean_correction),
           .mean_weight = static_cast<T>(1 - options_.mean_decay),
           .square_weight = static_cast<T>(1 - options_.square_decay),
           .root_scale = static_cast<T>(1 / std::sqrt(square_correction)),
           .epsilon = static_cast<T>(options_.epsilon)};
}

template <class T>
double Adam<T>::Update(size_t begin, std::span<const T> gradient, std::span<T> point) {
  return BestKernels<T>().adam_step(step_, gradient.data(), mean_.data() + begin,
                                    square_.data() + begin, point.data(), std::ssize(gradient));
}

template <class T>
void Adam<T>::Visit(State& state) {
  UpdateRule<T>::Visit(state);
  state.Array("mean", mean_.span());
  state.Array("square", square_.span());
}

template class UpdateRule<float>;
template class UpdateRule<double>;
template class Sgd<float>;
template class Sgd<double>;
template class Adam<float>;
template class Adam<double>;

}  // namespace rhohat
