// What the lanes of a sweep add up for the objective.
//
// All fit Sweep::Run: Clear() before a lane's first block, Add() to combine lanes in the fixed
// tree.
#pragma once

#include <cstdint>
#include <vector>

#include "base/aligned_buffer.h"
#include "math/views.h"
#include "network/parameters.h"

namespace rhohat {

// What J is a function of, beside the parameters; in double.
struct RowSums {
  std::vector<double> activation;  // Σ a of the encoder's layers, one after another
  std::vector<double> statistics;  // of the penalties, one after another
  double loss = 0;                 // Σ ℓ

  RowSums(const NetworkShape& shape, int64_t statistics_in)
      : activation(static_cast<size_t>(shape.encoder_units())),
        statistics(static_cast<size_t>(statistics_in)) {}
  void Clear();
  void Add(const RowSums& other);
};

// The gradient's sums. The weights' are in T, as products make them; the biases' in double.
template <class T>
class GradientSums {
 public:
  GradientSums(const NetworkShape& shape, int64_t statistics);
  static size_t MemoryBytes(const NetworkShape& shape);

  void Clear();
  void Add(const GradientSums& other);

  // Σ δ aᵀ of one layer, in the shape of its stored weight; for a transposed layer its mirror's,
  // which it shares.
  MatrixView<T> weight(int64_t layer) const { return weights_[static_cast<size_t>(layer)]; }
  std::vector<double>& bias(int64_t layer) { return biases_[static_cast<size_t>(layer)]; }
  const std::vector<double>& bias(int64_t layer) const {
    return biases_[static_cast<size_t>(layer)];
  }
  RowSums rows;

 private:
  AlignedBuffer<T> numbers_;
  std::vector<MatrixView<T>> weights_;
  std::vector<std::vector<double>> biases_;
};

}  // namespace rhohat
