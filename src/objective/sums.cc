#include "objective/sums.h"

#include <algorithm>
#include <functional>

namespace rhohat {
namespace {

template <class T>
void AddTo(std::span<T> sums, std::span<const T> other) {
  std::ranges::transform(sums, other, sums.begin(), std::plus<>());
}

}  // namespace

void ActivationSums::Clear() {
  std::ranges::fill(activation, 0.0);
  loss = 0;
}

void ActivationSums::Add(const ActivationSums& other) {
  AddTo<double>(activation, other.activation);
  loss += other.loss;
}

template <class T>
GradientSums<T>::GradientSums(const NetworkShape& shape)
    : encoder_bias(static_cast<size_t>(shape.hidden)),
      decoder_bias(static_cast<size_t>(shape.inputs)),
      shape_(shape),
      weights_(static_cast<size_t>(shape.weights())) {}

template <class T>
size_t GradientSums<T>::MemoryBytes(const NetworkShape& shape) {
  return static_cast<size_t>(shape.weights()) * sizeof(T) +
         static_cast<size_t>(shape.inputs + shape.hidden) * sizeof(double);
}

template <class T>
void GradientSums<T>::Clear() {
  std::ranges::fill(weights_.span(), T(0));
  std::ranges::fill(encoder_bias, 0.0);
  std::ranges::fill(decoder_bias, 0.0);
  loss = 0;
}

template <class T>
void GradientSums<T>::Add(const GradientSums& other) {
  AddTo<T>(weights_.span(), other.weights_.span());
  AddTo<double>(encoder_bias, other.encoder_bias);
  AddTo<double>(decoder_bias, other.decoder_bias);
  loss += other.loss;
}

template <class T>
MatrixView<T> GradientSums<T>::encoder_weight() const {
  return {weights_.data(), shape_.hidden, shape_.inputs};
}

template <class T>
MatrixView<T> GradientSums<T>::decoder_weight() const {
  return {weights_.data() + shape_.inputs * shape_.hidden, shape_.inputs, shape_.hidden};
}

template class GradientSums<float>;
template class GradientSums<double>;

}  // namespace rhohat
