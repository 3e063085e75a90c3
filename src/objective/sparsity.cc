#include "objective/sparsity.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace rhohat {
namespace {

constexpr double kLargestMean = 1 - std::numeric_limits<double>::epsilon() / 2;  // next below 1

}  // namespace

void MeanActivation(std::span<const double> sums, int64_t rows, std::span<double> rho_hat) {
  constexpr double kSmallest = std::numeric_limits<double>::min();
  for (size_t j = 0; j < sums.size(); ++j) {
    rho_hat[j] = std::clamp(sums[j] / static_cast<double>(rows), kSmallest, kLargestMean);
  }
}

template <class T>
int64_t CountExtremeUnits(std::span<const double> rho_hat) {
  constexpr double kSilent = 4.0 * std::numeric_limits<T>::min();
  return std::ranges::count_if(rho_hat,
                               [](double mean) { return mean < kSilent || mean >= kLargestMean; });
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

template int64_t CountExtremeUnits<float>(std::span<const double>);
template int64_t CountExtremeUnits<double>(std::span<const double>);
template void SparsitySlope(double, double, std::span<const double>, std::span<float>);
template void SparsitySlope(double, double, std::span<const double>, std::span<double>);

}  // namespace rhohat
