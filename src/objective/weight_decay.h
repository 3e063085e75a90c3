// Weight decay, (λ/2) Σ ‖W‖²: of weights, never of biases (docs/math.md §2).
#pragma once

#include "network/parameters.h"

namespace rhohat {

template <class T>
double WeightDecayCost(double lambda, const Parameters<const T>& parameters);

}  // namespace rhohat
