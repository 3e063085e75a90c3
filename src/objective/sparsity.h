// ρ̂: each hidden unit's mean activation over all rows, and how near its ends it is.
#pragma once

#include <cstdint>
#include <span>

#include "rhohat/activation.h"

namespace rhohat {

// ρ̂_j = r(sums_j / rows), r(a) of docs/math.md §1. Where r maps into [0, 1] and rounding made it
// exactly 0 or 1, where KL is infinite, it becomes the nearest number inside.
void MeanActivation(std::span<const double> sums, int64_t rows, Activation activation,
                    std::span<double> rho_hat);

// Units that are silent, or at their highest, on every row as far as activations of type T can
// tell: their mean is 0 or 1 but for the sigmoid's smallest value and rounding. None where the
// activation has no such ends.
template <class T>
int64_t CountExtremeUnits(std::span<const double> rho_hat, Activation activation);

}  // namespace rhohat
