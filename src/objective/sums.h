// What the lanes of a sweep add up for the objective.
//
// All fit Sweep::Run: Clear() before a lane's first block, Add() to combine lanes in the fixed
// tree.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/aligned_buffer.h"
#include "network/parameters.h"

namespace rhohat {

// Pass 1: Σ_i r(a_i) and, where J alone is wanted, the loss; in double.
struct ActivationSums {
  std::vector<double> activation;  // h
  double loss = 0;

  explicit ActivationSums(const NetworkShape& shape)
      : activation(static_cast<size_t>(shape.hidden)) {}
  void Clear();
  void Add(const ActivationSums& other);
};

// Pass 2: the loss, and Σ_i of the four gradients. The weights' sums are in T, as products make
// them; the biases' and the loss in double.
template <class T>
class GradientSums {
 public:
  explicit GradientSums(const NetworkShape& shape);
  static size_t MemoryBytes(const NetworkShape& shape);

  void Clear();
  void Add(const GradientSums& other);

  MatrixView<T> encoder_weight() const;  // h×n: Σ δ2 xᵀ
  MatrixView<T> decoder_weight() const;  // n×h: Σ δ3 aᵀ
  std::vector<double> encoder_bias;      // h: Σ δ2
  std::vector<double> decoder_bias;      // n: Σ δ3
  double loss = 0;

 private:
  NetworkShape shape_;
  AlignedBuffer<T> weights_;
};

}  // namespace rhohat
