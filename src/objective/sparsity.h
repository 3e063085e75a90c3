// The KL sparsity penalty, a function of each hidden unit's mean activation over all rows
// (docs/math.md §2 and §3).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace rhohat {

// ρ̂_j = sums_j / rows. Where rounding made it exactly 0 or 1, where KL is infinite, it becomes the
// nearest number inside.
void MeanActivation(std::span<const double> sums, int64_t rows, std::span<double> rho_hat);

// Units that are silent, or at their highest, on every row as far as activations of type T can
// tell: their mean is 0 or 1 but for the sigmoid's smallest value and rounding.
template <class T>
int64_t CountExtremeUnits(std::span<const double> rho_hat);

// β Σ_j KL(ρ ‖ ρ̂_j).
double SparsityCost(double rho, double beta, std::span<const double> rho_hat);

// β · ∂KL/∂ρ̂_j = β (−ρ/ρ̂_j + (1−ρ)/(1−ρ̂_j)): what each row's δ2 gets before the slope. T is float
// or double.
template <class T>
void SparsitySlope(double rho, double beta, std::span<const double> rho_hat, std::span<T> slope);

}  // namespace rhohat
