// The KL sparsity penalty, β Σ_j KL(ρ ‖ ρ̂_j), of one of the encoder's layers
// (docs/math.md §2 and §3).
#include "objective/sparsity.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "objective/penalty.h"

namespace rhohat {
namespace {

constexpr double kLargestMean = 1 - std::numeric_limits<double>::epsilon() / 2;  // next below 1

template <class T>
class Sparsity : public Penalty<T> {
 public:
  // `slope` is r′, which is constant.
  Sparsity(double rho, double beta, double slope, int64_t layer)
      : rho_(rho), beta_(beta), slope_(slope), layer_(layer) {}

  double CostTerms::*term() const override { return &CostTerms::sparsity; }
  int64_t layer() const override { return layer_; }

  double Cost(const Parameters<const T>&, const PenaltyMeans& means) const override {
    double sum = 0;
    for (const double mean : means.rho_hat) {
      sum += rho_ * std::log(rho_ / mean) + (1 - rho_) * std::log((1 - rho_) / (1 - mean));
    }
    return beta_ * sum;
  }

  // β s_j = β (−ρ/ρ̂_j + (1−ρ)/(1−ρ̂_j)) r′.
  bool has_mean_slope() const override { return true; }
  void AddMeanSlope(std::span<const double> rho_hat, std::span<T> slope) const override {
    // A unit that is silent on every row has a slope beyond float's range; the activation's slope
    // there is 0, and 0 · infinity would be NaN.
    constexpr double kLargest = std::numeric_limits<T>::max();
    for (size_t j = 0; j < rho_hat.size(); ++j) {
      const double exact = static_cast<double>(slope[j]) +
                           beta_ * slope_ * ((1 - rho_) / (1 - rho_hat[j]) - rho_ / rho_hat[j]);
      slope[j] = static_cast<T>(std::fmax(-kLargest, std::fmin(kLargest, exact)));
    }
  }

 private:
  double rho_;
  double beta_;
  double slope_;
  int64_t layer_;
};

// One number stands for all layers.
double OfLayer(const std::vector<double>& values, int64_t layer) {
  return values.size() == 1 ? values.front() : values[static_cast<size_t>(layer)];
}

}  // namespace

void MeanActivation(std::span<const double> sums, int64_t rows, Activation activation,
                    std::span<double> rho_hat) {
  constexpr double kSmallest = std::numeric_limits<double>::min();
  const ActivationInfo& info = InfoOf(activation);
  for (size_t j = 0; j < sums.size(); ++j) {
    const double mean = info.mean_scale * (sums[j] / static_cast<double>(rows)) + info.mean_shift;
    rho_hat[j] = info.has_kl ? std::clamp(mean, kSmallest, kLargestMean) : mean;
  }
}

template <class T>
int64_t CountExtremeUnits(std::span<const double> rho_hat, Activation activation) {
  if (!InfoOf(activation).has_kl) return 0;
  constexpr double kSilent = 4.0 * std::numeric_limits<T>::min();
  return std::ranges::count_if(rho_hat,
                               [](double mean) { return mean < kSilent || mean >= kLargestMean; });
}

template <class T>
void AddSparsity(const ObjectiveOptions& options, const NetworkOptions& network,
                 const NetworkShape& shape, Penalties<T>& penalties) {
  for (int64_t layer = 0; layer < shape.depth(); ++layer) {
    const double beta = OfLayer(options.beta, layer);
    if (beta == 0) continue;
    penalties.push_back(std::make_unique<Sparsity<T>>(
        OfLayer(options.rho, layer), beta, InfoOf(network.activation).mean_scale, layer));
  }
}

template int64_t CountExtremeUnits<float>(std::span<const double>, Activation);
template int64_t CountExtremeUnits<double>(std::span<const double>, Activation);
template void AddSparsity(const ObjectiveOptions&, const NetworkOptions&, const NetworkShape&,
                          Penalties<float>&);
template void AddSparsity(const ObjectiveOptions&, const NetworkOptions&, const NetworkShape&,
                          Penalties<double>&);

}  // namespace rhohat
