#include "objective/sums.h"

#include <fmt/core.h>

#include <algorithm>
#include <functional>

namespace rhohat {
namespace {

template <class T>
void AddTo(std::span<T> sums, std::span<const T> other) {
  std::ranges::transform(sums, other, sums.begin(), std::plus<>());
}

// Numbers of type T.
int64_t WeightSums(const NetworkShape& shape, bool split) {
  return shape.weights() + (split ? shape.inputs * shape.width(1) : 0);
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

void RowSums::Visit(State& state) {
  state.Array("activation", std::span(activation));
  state.Array("statistics", std::span(statistics));
  state.Number("loss", loss);
}

template <class T>
GradientSums<T>::GradientSums(const NetworkShape& shape, int64_t statistics, bool split)
    : rows(shape, statistics), numbers_(static_cast<size_t>(WeightSums(shape, split))) {
  T* next = numbers_.data();
  for (int64_t layer = 0; layer < shape.layers(); ++layer) {
    const int64_t outputs = shape.width(layer + 1);
    biases_.emplace_back(static_cast<size_t>(outputs));
    if (shape.is_transposed(layer)) {
      weights_.push_back(weight(shape.mirror(layer)));
      continue;
    }
    weights_.emplace_back(next, outputs, shape.width(layer));
    next += weights_.back().size();
    if (layer == 0 && split) {
      slope_weight_ = {next, outputs, shape.inputs};
      slope_bias_.resize(static_cast<size_t>(outputs));
      next += weights_[0].size();
    }
  }
}

template <class T>
size_t GradientSums<T>::MemoryBytes(const NetworkShape& shape, bool split) {
  return static_cast<size_t>(WeightSums(shape, split)) * sizeof(T) +
         static_cast<size_t>(shape.biases() + (split ? shape.width(1) : 0)) * sizeof(double);
}

template <class T>
void GradientSums<T>::Clear() {
  rows.Clear();
  std::ranges::fill(numbers_.span(), T(0));
  for (std::vector<double>& bias : biases_) std::ranges::fill(bias, 0.0);
  std::ranges::fill(slope_bias_, 0.0);
}

template <class T>
void GradientSums<T>::Add(const GradientSums& other) {
  rows.Add(other.rows);
  AddTo<T>(numbers_.span(), other.numbers_.span());
  for (size_t layer = 0; layer < biases_.size(); ++layer) {
    AddTo<double>(biases_[layer], other.biases_[layer]);
  }
  AddTo<double>(slope_bias_, other.slope_bias_);
}

template <class T>
void GradientSums<T>::Mean(int64_t layer, int64_t row_count, std::span<const T> mean_slopes,
                           const LayerParameters<T>& gradient) const {
  const double mean = 1.0 / static_cast<double>(row_count);
  const std::vector<double>& biases = bias(layer);
  const bool split = layer == 0 && !slope_bias_.empty();
  for (size_t j = 0; j < biases.size(); ++j) {
    const double more = split ? static_cast<double>(mean_slopes[j]) * slope_bias_[j] : 0;
    gradient.bias[j] = static_cast<T>((biases[j] + more) * mean);
  }
  if (gradient.transposed) return;  // its mirror's
  const MatrixView<T> sums = weight(layer);
  for (int64_t j = 0; j < sums.rows; ++j) {
    const double slope = split ? static_cast<double>(mean_slopes[static_cast<size_t>(j)]) : 0;
    const T* const slopes = split ? slope_weight_.row(j) : sums.row(j);
    for (int64_t k = 0; k < sums.columns; ++k) {
      const double sum = static_cast<double>(sums.row(j)[k]);
      const double more = slope * static_cast<double>(slopes[k]);
      gradient.weight.row(j)[k] = static_cast<T>((split ? sum + more : sum) * mean);
    }
  }
}

template <class T>
void GradientSums<T>::Visit(State& state) {
  rows.Visit(state);
  state.Array("weights", numbers_.span());
  for (size_t layer = 0; layer < biases_.size(); ++layer) {
    state.Array(fmt::format("bias{}", layer), std::span(biases_[layer]));
  }
  if (!slope_bias_.empty()) state.Array("slope_bias", std::span(slope_bias_));
}

template class GradientSums<float>;
template class GradientSums<double>;

}  // namespace rhohat
