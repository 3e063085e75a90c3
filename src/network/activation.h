// Activation functions: one table, a row each.
#pragma once

#include <cstdint>

#include "rhohat/options.h"

namespace rhohat {

// What the network needs to know of an activation f, as kernels over one row.
template <class T>
struct ActivationFunctions {
  // z_j = f(z_j + bias_j).
  void (*apply)(T* z, const T* bias, int64_t count);
  // out_j = delta_j · f′, told by the activation a_j = f(z_j); `out` may be any of the operands.
  void (*times_slope)(const T* delta, const T* a, T* out, int64_t count);
  // Activations lie strictly inside (low, high) in exact arithmetic.
  double low;
  double high;
};

template <class T>
ActivationFunctions<T> FunctionsOf(Activation activation);

}  // namespace rhohat
