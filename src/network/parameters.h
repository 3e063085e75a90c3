// The parameters of an autoencoder as one flat vector, and as the matrices they are.
//
// Optimisers see the vector, the network sees the matrices; both are views of the same numbers. The
// order is weight and bias of layer after layer, from the input to the output: a torch.nn.Linear's
// shapes, one after another (docs/math.md §1). A tied decoder's layers have biases only.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "math/views.h"
#include "rhohat/options.h"

namespace rhohat {

// The widths of the network n–h1–…–hk–…–h1–n. Its 2k layers are numbered from the input: 0 to k−1
// are the encoder's, k to 2k−1 the decoder's. Layer l turns width(l) values into width(l + 1).
struct NetworkShape {
  int64_t inputs = 0;           // n
  std::vector<int64_t> hidden;  // h1 … hk
  bool tied = false;

  NetworkShape() = default;
  NetworkShape(int64_t inputs_in, std::vector<int64_t> hidden_in, bool tied_in = false)
      : inputs(inputs_in), hidden(std::move(hidden_in)), tied(tied_in) {}
  NetworkShape(int64_t inputs_in, const NetworkOptions& options)
      : NetworkShape(inputs_in, options.hidden, options.tied) {}

  int64_t depth() const { return std::ssize(hidden); }  // k
  int64_t layers() const { return 2 * depth(); }
  int64_t width(int64_t level) const;  // for level 0 to 2k: n, h1, …, hk, …, h1, n
  int64_t code() const { return hidden.back(); }
  int64_t widest() const;

  // Whether layer `layer` is the transpose of its mirror image, and has no weight of its own.
  bool is_transposed(int64_t layer) const { return tied && layer >= depth(); }
  int64_t mirror(int64_t layer) const { return layers() - 1 - layer; }

  // "784–200–100–200–784".
  std::string Text() const;

  int64_t weights() const;     // entries of all weight matrices
  int64_t biases() const;      // entries of all bias vectors
  int64_t parameters() const;  // both
  // Units of the encoder's layers, which ρ̂ has an entry for each of; and where layer l's begin.
  int64_t encoder_units() const;
  int64_t encoder_offset(int64_t layer) const;
};

// T may be const.
template <class T>
struct LayerParameters {
  MatrixView<T> weight;     // outputs×inputs; where `transposed`, the mirror's: inputs×outputs
  std::span<T> bias;        // outputs; in ForwardParameters repeated
  bool transposed = false;  // the layer computes with weightᵀ
};

template <class T>
struct Parameters {
  std::vector<LayerParameters<T>> layers;

  const LayerParameters<T>& operator[](int64_t layer) const {
    return layers[static_cast<size_t>(layer)];
  }
};

// `flat` has shape.parameters() values.
template <class T>
Parameters<T> ViewParameters(const NetworkShape& shape, std::span<T> flat);

// A weight matrix or bias vector by the name that files know it by.
struct TensorPlace {
  std::string name;  // "encoder.weight"; for deep nets "encoder.0.weight", …
  std::vector<int64_t> shape;
  size_t offset = 0;  // of its first value within the flat vector
  size_t size = 0;
};

// In the order of the flat vector.
std::vector<TensorPlace> TensorsOf(const NetworkShape& shape);

// Throws Error(kUsage) where the parameters cannot be counted or addressed.
void CheckShape(const NetworkShape& shape);

// UFLDL's start (docs/math.md §7): the weights of a layer from p to q units are uniform in [−r, r]
// with r = √(6 / (p + q + 1)), biases 0. A function of the seed and the shape alone; float is the
// double rounded.
template <class T>
void InitialiseParameters(const NetworkShape& shape, uint64_t seed, std::span<T> flat);

}  // namespace rhohat
