// Elementwise kernels over one row of a block: what happens between two matrix products.
//
// Each works on `count` consecutive values and is called row by row, so that a row stays in the
// first-level cache from one kernel to the next. One source (kernels_impl.inc) is compiled for
// several instruction sets; Best() picks at run time. kernels_reference.h has a naive twin of each.
//
// All are thread-safe and let NaN and infinity through: sigmoid(NaN) is NaN, sigmoid(±infinity) is
// 1 and 0 to rounding.
#pragma once

#include <cstdint>

namespace rhohat {

template <class T>
struct Kernels {
  // z_j = 1 / (1 + exp(−(z_j + bias_j))). At most 3 units in the last place from the exact value
  // for results above 1e-30.
  void (*add_bias_sigmoid)(T* z, const T* bias, int64_t count);

  // out_j = delta_j · a_j (1 − a_j), the sigmoid's slope told by its value; `out` may be any of the
  // operands.
  void (*times_sigmoid_slope)(const T* delta, const T* a, T* out, int64_t count);

  // delta_j = reconstruction_j − target_j; returns ½ Σ delta_j², summed in double.
  double (*squared_error)(const T* reconstruction, const T* target, T* delta, int64_t count);

  // y_j += x_j.
  void (*add)(const T* x, T* y, int64_t count);

  // sums_j += x_j, in double.
  void (*add_to_sums)(const T* x, double* sums, int64_t count);

  const char* name;  // of the instruction set
};

// The fastest that this CPU can run.
template <class T>
const Kernels<T>& BestKernels();

// One of "portable", "avx2" and "avx512"; null where this build or this CPU does not have it.
template <class T>
const Kernels<T>* FindKernels(const char* name);

}  // namespace rhohat
