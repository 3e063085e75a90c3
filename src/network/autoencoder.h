// The network as functions of a block of rows: encode, decode.
#pragma once

#include "math/views.h"
#include "network/activation.h"
#include "network/parameters.h"
#include "rhohat/options.h"

namespace rhohat {

// Stateless but for its choice of functions. Thread-safe.
template <class T>
class Autoencoder {
 public:
  Autoencoder(const NetworkShape& shape, const NetworkOptions& options);

  // code = f(rows · W1ᵀ + b1), with rows: B×n, code: B×h.
  void Encode(const Parameters<const T>& parameters, MatrixView<const T> rows,
              MatrixView<T> code) const;
  // reconstruction = g(code · W2ᵀ + b2), with code: B×h, reconstruction: B×n.
  void Decode(const Parameters<const T>& parameters, MatrixView<const T> code,
              MatrixView<T> reconstruction) const;

  const NetworkShape& shape() const { return shape_; }
  const ActivationFunctions<T>& encoder() const { return encoder_; }
  const ActivationFunctions<T>& decoder() const { return decoder_; }

 private:
  NetworkShape shape_;
  ActivationFunctions<T> encoder_;
  ActivationFunctions<T> decoder_;
};

}  // namespace rhohat
