// The network as functions of a block of rows: one layer forwards, one layer backwards.
#pragma once

#include "math/kernels.h"
#include "math/views.h"
#include "network/parameters.h"
#include "rhohat/options.h"

namespace rhohat {

// Stateless but for its choice of functions. Thread-safe.
template <class T>
class Autoencoder {
 public:
  // Where `output_is_linear`, the last layer gives the decoder's input, for a loss from logits.
  Autoencoder(const NetworkShape& shape, const NetworkOptions& options,
              bool output_is_linear = false);

  // out = in · Wᵀ of one layer; in: B×inputs, out: B×outputs.
  void Product(int64_t layer, const Parameters<const T>& parameters, MatrixView<const T> in,
               MatrixView<T> out) const;

  // out = f(in · Wᵀ + b).
  void Forward(int64_t layer, const Parameters<const T>& parameters, MatrixView<const T> in,
               MatrixView<T> out) const;

  // in_delta = out_delta · W of one layer: ∂/∂in from ∂/∂z, with out_delta: B×outputs.
  void Backward(int64_t layer, const Parameters<const T>& parameters, MatrixView<const T> out_delta,
                MatrixView<T> in_delta) const;

  // gradient += out_deltaᵀ · in, or its transpose where the layer is: Σ over rows of ∂/∂W.
  void AddWeightGradient(int64_t layer, MatrixView<const T> out_delta, MatrixView<const T> in,
                         MatrixView<T> gradient) const;

  // The encoder's layers, or the decoder's, one after another. level[i] has the memory of what
  // layer first + i gives, B×width(first + i + 1); only the first in.rows rows are used.
  void Encode(const Parameters<const T>& parameters, MatrixView<const T> rows,
              std::span<T* const> levels) const;
  void Decode(const Parameters<const T>& parameters, MatrixView<const T> code,
              std::span<T* const> levels) const;
  // The same but for the last layer's bias and function.
  void DecodeToProduct(const Parameters<const T>& parameters, MatrixView<const T> code,
                       std::span<T* const> levels) const;

  const NetworkShape& shape() const { return shape_; }
  const ActivationKernels<T>& activation(int64_t layer) const;

 private:
  void Run(int64_t first, const Parameters<const T>& parameters, MatrixView<const T> in,
           std::span<T* const> levels) const;

  NetworkShape shape_;
  const ActivationKernels<T>* hidden_;
  const ActivationKernels<T>* output_;
};

}  // namespace rhohat
