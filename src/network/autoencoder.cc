#include "network/autoencoder.h"

#include "math/blas.h"

namespace rhohat {
namespace {

// out = f(rows · weightᵀ + bias), with rows: B×in, weight: out×in, out: B×out.
template <class T>
void ApplyLayer(MatrixView<const T> weight, std::span<const T> bias,
                const ActivationFunctions<T>& activation, MatrixView<const T> rows,
                MatrixView<T> out) {
  MultiplyTransposed(rows, weight, out);
  for (int64_t i = 0; i < out.rows; ++i) activation.apply(out.row(i), bias.data(), out.columns);
}

}  // namespace

template <class T>
Autoencoder<T>::Autoencoder(const NetworkShape& shape, const NetworkOptions& options)
    : shape_(shape),
      encoder_(FunctionsOf<T>(options.activation)),
      decoder_(FunctionsOf<T>(options.decoder)) {
  CheckShape(shape);
  UseOneThreadPerProduct();
}

template <class T>
void Autoencoder<T>::Encode(const Parameters<const T>& parameters, MatrixView<const T> rows,
                            MatrixView<T> code) const {
  ApplyLayer(parameters.encoder_weight, parameters.encoder_bias, encoder_, rows, code);
}

template <class T>
void Autoencoder<T>::Decode(const Parameters<const T>& parameters, MatrixView<const T> code,
                            MatrixView<T> reconstruction) const {
  ApplyLayer(parameters.decoder_weight, parameters.decoder_bias, decoder_, code, reconstruction);
}

template class Autoencoder<float>;
template class Autoencoder<double>;

}  // namespace rhohat
