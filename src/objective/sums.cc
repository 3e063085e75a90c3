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

void RowSums::Clear() {
  std::ranges::fill(activation, 0.0);
  std::ranges::fill(statistics, 0.0);
  loss = 0;
}

void RowSums::Add(const RowSums& other) {
  AddTo<double>(activation, other.activation);
  AddTo<double>(statistics, other.statistics);
  loss += other.loss;
}

template <class T>
GradientSums<T>::GradientSums(const NetworkShape& shape, int64_t statistics)
    : rows(shape, statistics), numbers_(static_cast<size_t>(shape.weights())) {
  T* next = numbers_.data();
  for (int64_t layer = 0; layer < shape.layers(); ++layer) {
    const int64_t outputs = shape.width(layer + 1);
    biases_.emplace_back(static_cast<size_t>(outputs));
    if (shape.is_transposed(layer)) {
      weights_.push_back(weight(shape.mirror(layer)));
    } else {
      weights_.emplace_back(next, outputs, shape.width(layer));
      next += weights_.back().size();
    }
  }
}

template <class T>
size_t GradientSums<T>::MemoryBytes(const NetworkShape& shape) {
  return static_cast<size_t>(shape.weights()) * sizeof(T) +
         static_cast<size_t>(shape.biases()) * sizeof(double);
}

template <class T>
void GradientSums<T>::Clear() {
  rows.Clear();
  std::ranges::fill(numbers_.span(), T(0));
  for (std::vector<double>& bias : biases_) std::ranges::fill(bias, 0.0);
}

template <class T>
void GradientSums<T>::Add(const GradientSums& other) {
  rows.Add(other.rows);
  AddTo<T>(numbers_.span(), other.numbers_.span());
  for (size_t layer = 0; layer < biases_.size(); ++layer) {
    AddTo<double>(biases_[layer], other.biases_[layer]);
  }
}

template class GradientSums<float>;
template class GradientSums<double>;

}  // namespace rhohat
