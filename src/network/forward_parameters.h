// Parameters laid out as a forward pass reads them fastest, made anew for each set of parameters
// and used for all of their rows.
//
// Biases are repeated, to be added to several narrow rows at once (math/long_rows.h). Small weights
// are transposed: for products that small BLAS has kernels of their own, by far the best of which
// is the one where neither factor is transposed.
#pragma once

#include <cstddef>

#include "base/aligned_buffer.h"
#include "network/parameters.h"

namespace rhohat {

// Entries of a weight matrix up to which its products with a tile of rows count as small.
inline constexpr int64_t kMostSmallWeights = 7812;

// One thread sets, many may read.
template <class T>
class ForwardParameters {
 public:
  explicit ForwardParameters(const NetworkShape& shape);
  static size_t MemoryBytes(const NetworkShape& shape);

  // `parameters` must outlive their use here.
  void Set(const Parameters<const T>& parameters);

  // For Autoencoder's functions of the way forwards, and for those only.
  const Parameters<const T>& get() const { return layers_; }

 private:
  NetworkShape shape_;
  AlignedBuffer<T> numbers_;
  Parameters<const T> layers_;
};

}  // namespace rhohat
