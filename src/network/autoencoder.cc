#include "network/autoencoder.h"

#include <algorithm>

#include "math/blas.h"

namespace rhohat {
namespace {

template <class T>
const ActivationKernels<T>* KernelsOf(Activation activation) {
  return &BestKernels<T>().activations[static_cast<int>(activation)];
}

}  // namespace

template <class T>
Autoencoder<T>::Autoencoder(const NetworkShape& shape, const NetworkOptions& options,
                            bool output_is_linear)
    : shape_(shape),
      hidden_(KernelsOf<T>(options.activation)),
      output_(KernelsOf<T>(output_is_linear ? Activation::kLinear : options.decoder)) {
  CheckShape(shape);
  UseOneThreadPerProduct();
}

template <class T>
const ActivationKernels<T>& Autoencoder<T>::activation(int64_t layer) const {
  return layer + 1 == shape_.layers() ? *output_ : *hidden_;
}

template <class T>
void Autoencoder<T>::Product(int64_t layer, const Parameters<const T>& parameters,
                             MatrixView<const T> in, MatrixView<T> out) const {
  const LayerParameters<const T>& part = parameters[layer];
  if (part.transposed) {
    Multiply(in, part.weight, out);
  } else {
    MultiplyTransposed(in, part.weight, out);
  }
}

// A bias may be repeated, and is then for so many rows at once.
template <class T>
void Autoencoder<T>::Forward(int64_t layer, const Parameters<const T>& parameters,
                             MatrixView<const T> in, MatrixView<T> out) const {
  Product(layer, parameters, in, out);
  const auto apply = activation(layer).apply;
  const std::span<const T> bias = parameters[layer].bias;
  for (int64_t begin = 0; begin < out.size(); begin += std::ssize(bias)) {
    apply(out.data + begin, bias.data(), std::min(std::ssize(bias), out.size() - begin));
  }
}

template <class T>
void Autoencoder<T>::Backward(int64_t layer, const Parameters<const T>& parameters,
                              MatrixView<const T> out_delta, MatrixView<T> in_delta) const {
  const LayerParameters<const T>& part = parameters[layer];
  if (part.transposed) {
    MultiplyTransposed(out_delta, part.weight, in_delta);
  } else {
    Multiply(out_delta, part.weight, in_delta);
  }
}

template <class T>
void Autoencoder<T>::AddWeightGradient(int64_t layer, MatrixView<const T> out_delta,
                                       MatrixView<const T> in, MatrixView<T> gradient) const {
  if (shape_.is_transposed(layer)) {
    AddTransposedProduct(in, out_delta, gradient);
  } else {
    AddTransposedProduct(out_delta, in, gradient);
  }
}

template <class T>
void Autoencoder<T>::Run(int64_t first, const Parameters<const T>& parameters,
                         MatrixView<const T> in, std::span<T* const> levels) const {
  for (size_t i = 0; i < levels.size(); ++i) {
    const int64_t layer = first + static_cast<int64_t>(i);
    const MatrixView<T> out(levels[i], in.rows, shape_.width(layer + 1));
    Forward(layer, parameters, in, out);
    in = out;
  }
}

template <class T>
void Autoencoder<T>::Encode(const Parameters<const T>& parameters, MatrixView<const T> rows,
                            std::span<T* const> levels) const {
  Run(0, parameters, rows, levels);
}

template <class T>
void Autoencoder<T>::Decode(const Parameters<const T>& parameters, MatrixView<const T> code,
                            std::span<T* const> levels) const {
  Run(shape_.depth(), parameters, code, levels);
}

template <class T>
void Autoencoder<T>::DecodeToProduct(const Parameters<const T>& parameters,
                                     MatrixView<const T> code, std::span<T* const> levels) const {
  const std::span<T* const> hidden = levels.first(levels.size() - 1);
  Decode(parameters, code, hidden);
  const int64_t last = shape_.layers() - 1;
  const MatrixView<const T> in =
      hidden.empty() ? code : MatrixView<const T>(hidden.back(), code.rows, shape_.width(last));
  Product(last, parameters, in, {levels.back(), code.rows, shape_.inputs});
}

template class Autoencoder<float>;
template class Autoencoder<double>;

}  // namespace rhohat
