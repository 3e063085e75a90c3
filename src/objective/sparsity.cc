#include "objective/sparsity.h"

#include <cmath>
#include <limits>

namespace rhohat {

int64_t MeanActivation(std::span<const double> sums, int64_t rows, std::span<double> rho_hat) {
  constexpr double kSmallest = std::numeric_limits<double>::min();
  const double largest = std::nextafter(1.0, 0.0);
  int64_t clamped = 0;
  for (size_t j = 0; j < sums.size(); ++j) {
    rho_hat[j] = sums[j] / static_cast<double>(rows);
    if (rho_hat[j] < kSmallest || rho_hat[j] > largest) {
      rho_hat[j] = rho_hat[j] < kSmallest ? kSmallest : largest;
      ++clamped;
    }
  }
  return clamped;
}

double SparsityCost(double rho, double beta, std::span<const double> rho_hat) {
  if (beta == 0) return 0;
  double sum = 0;
  for (const double mean : rho_hat) {
    sum += rho * std::log(rho / mean) + (1 - rho) * std::log((1 - rho) / (1 - mean));
  }
  return beta * sum;
}

template <class T>
void SparsitySlope(double rho, double beta, std::span<const double> rho_hat, std::span<T> slope) {
  // A unit that is silent on every row has a slope beyond float's range; the sigmoid's slope there
  // is 0, and 0 · infinity would be NaN.
  constexpr double kLargest = std::numeric_limits<T>::max();
  for (size_t j = 0; j < rho_hat.size(); ++j) {
    const double exact = beta * ((1 - rho) / (1 - rho_hat[j]) - rho / rho_hat[j]);
    slope[j] = static_cast<T>(std::fmax(-kLargest, std::fmin(kLargest, exact)));
  }
}

template void SparsitySlope(double, double, std::span<const double>, std::span<float>);
template void SparsitySlope(double, double, std::span<const double>, std::span<double>);

}  // namespace rhohat
