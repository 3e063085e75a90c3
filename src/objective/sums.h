// What the lanes of a sweep add up for the objective.
//
// All fit Sweep::Run: Clear() before a lane's first block, Add() to combine lanes in the fixed
// tree.
#pragma once

#include <cstdint>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/state.h"
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
  void Visit(State& state);
};

// The gradient's sums. The weights' are in T, as products make them; the biases' in double.
template <class T>
class GradientSums {
 public:
  // A `split` one also has Σ f′ x̃ᵀ and Σ f′ of the first layer (docs/math.md §3, fused).
  GradientSums(const NetworkShape& shape, int64_t statistics, bool split = false);
  static size_t MemoryBytes(const NetworkShape& shape, bool split);

  void Clear();
  void Add(const GradientSums& other);
  void Visit(State& state);

  // Σ δ aᵀ of one layer, in the shape of its stored weight; for a transposed layer its mirror's,
  // which it shares.
  MatrixView<T> weight(int64_t layer) const { return weights_[static_cast<size_t>(layer)]; }
  std::vector<double>& bias(int64_t layer) { return biases_[static_cast<size_t>(layer)]; }
  const std::vector<double>& bias(int64_t layer) const {
    return biases_[static_cast<size_t>(layer)];
  }
  // Where it is split: Σ f′ x̃ᵀ, in the shape of weight(0), and Σ f′.
  MatrixView<T> slope_weight() const { return slope_weight_; }
  std::vector<double>& slope_bias() { return slope_bias_; }

  // A layer's means over so many rows. `mean_slopes` is what Σ f′ x̃ᵀ and Σ f′ are multiplied with,
  // one for each unit of the first layer.
  void Mean(int64_t layer, int64_t row_count, std::span<const T> mean_slopes,
            const LayerParameters<T>& gradient) const;

  RowSums rows;

 private:
  AlignedBuffer<T> numbers_;
  std::vector<MatrixView<T>> weights_;
  std::vector<std::vector<double>> biases_;
  MatrixView<T> slope_weight_;
  std::vector<double> slope_bias_;
};

}  // namespace rhohat
