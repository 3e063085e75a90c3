// The parameters of an autoencoder as one flat vector, and as the matrices they are.
//
// Optimisers see the vector, the network sees the matrices; both are views of the same numbers. The
// order is encoder weight (h×n), encoder bias (h), decoder weight (n×h), decoder bias (n): a
// torch.nn.Linear's shapes, one after another (docs/math.md §1).
#pragma once

#include <cstdint>
#include <span>

#include "math/views.h"

namespace rhohat {

struct NetworkShape {
  int64_t inputs = 0;  // n
  int64_t hidden = 0;  // h

  int64_t weights() const { return 2 * inputs * hidden; }
  int64_t parameters() const { return weights() + inputs + hidden; }
};

// T may be const.
template <class T>
struct Parameters {
  MatrixView<T> encoder_weight;  // h×n
  std::span<T> encoder_bias;     // h
  MatrixView<T> decoder_weight;  // n×h
  std::span<T> decoder_bias;     // n
};

// `flat` has shape.parameters() values.
template <class T>
Parameters<T> ViewParameters(const NetworkShape& shape, std::span<T> flat) {
  const auto weight = static_cast<size_t>(shape.inputs * shape.hidden);
  const auto hidden = static_cast<size_t>(shape.hidden);
  const auto inputs = static_cast<size_t>(shape.inputs);
  T* const decoder = flat.data() + weight + hidden;
  return {{flat.data(), shape.hidden, shape.inputs},
          flat.subspan(weight, hidden),
          {decoder, shape.inputs, shape.hidden},
          flat.subspan(2 * weight + hidden, inputs)};
}

// Throws Error(kUsage) where the parameters cannot be counted or addressed.
void CheckShape(const NetworkShape& shape);

// UFLDL's start (docs/math.md §7): weights uniform in [−r, r] with r = √(6 / (n + h + 1)), biases
// 0. A function of the seed and the shape alone; float is the double rounded.
template <class T>
void InitialiseParameters(const NetworkShape& shape, uint64_t seed, std::span<T> flat);

}  // namespace rhohat
