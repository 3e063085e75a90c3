// Reconstruction losses: one table, a row each.
#pragma once

#include <cstdint>

#include "rhohat/options.h"

namespace rhohat {

// What the objective needs to know of a loss ℓ(x̂, x), as a kernel over one row.
template <class T>
struct LossFunctions {
  // delta_j = ∂ℓ/∂x̂_j; returns ℓ of the row.
  double (*slope_and_cost)(const T* reconstruction, const T* target, T* delta, int64_t count);
};

template <class T>
LossFunctions<T> FunctionsOf(Loss loss);

}  // namespace rhohat
