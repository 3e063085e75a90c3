// A penalty of one's own, from its definition to the derivative check: the example that
// docs/architecture.md follows. And what penalties there are for which options.
#include "objective/penalty.h"

#include <gtest/gtest.h>

#include <vector>

#include "math/vector_ops.h"
#include "objective/objective.h"
#include "tests/objective/cases.h"

namespace rhohat {
namespace {

// (ω/m) Σ_i ½‖a_i‖² of one layer: small activations, but none of them zero.
template <class T>
class L2Activity : public Penalty<T> {
 public:
  L2Activity(double omega, int64_t layer) : omega_(omega), layer_(layer) {}

  double CostTerms::*term() const override { return &CostTerms::l1; }
  int64_t layer() const override { return layer_; }

  // Adds up ½‖a‖² over the rows …
  int64_t statistics() const override { return 1; }
  void AddRow(std::span<const T> a, double* sums) const override { *sums += Dot<T>(a, a) / 2; }
  // … of which J has ω times the mean …
  double Cost(const Parameters<const T>&, const PenaltyMeans& means) const override {
    return omega_ * means.statistics[0];
  }
  // … and its derivative by a_j is ω a_j.
  bool has_slope() const override { return true; }
  void AddSlope(std::span<const T> a, T* delta) const override {
    for (size_t j = 0; j < a.size(); ++j) delta[j] += static_cast<T>(omega_) * a[j];
  }

 private:
  double omega_;
  int64_t layer_;
};

// A penalty of the means themselves, ω Σ_j (ρ̂_j − ½)², with r′ = 1 as of sigmoid units.
template <class T>
class BalancedUnits : public Penalty<T> {
 public:
  BalancedUnits(double omega, int64_t layer) : omega_(omega), layer_(layer) {}

  double CostTerms::*term() const override { return &CostTerms::sparsity; }
  int64_t layer() const override { return layer_; }
  double Cost(const Parameters<const T>&, const PenaltyMeans& means) const override {
    double sum = 0;
    for (const double mean : means.rho_hat) sum += (mean - 0.5) * (mean - 0.5);
    return omega_ * sum;
  }
  bool has_mean_slope() const override { return true; }
  void AddMeanSlope(std::span<const double> rho_hat, std::span<T> slope) const override {
    for (size_t j = 0; j < rho_hat.size(); ++j) {
      slope[j] += static_cast<T>(omega_ * 2 * (rho_hat[j] - 0.5));
    }
  }

 private:
  double omega_;
  int64_t layer_;
};

class PenaltyTest : public testing::Test {
 protected:
  static constexpr NoiseOptions kMasked = {NoiseKind::kMask, 0.3};

  Objective<double> With(Penalties<double> penalties) {
    return {{5, network_}, network_, options_, kNoiseSource, std::move(penalties), sweep_};
  }

  // ‖numeric − analytic‖ / ‖numeric + analytic‖, by fourth-order differences of the objective's
  // own J.
  double DerivativeError(Objective<double>& objective) const {
    constexpr double kStep = 1e-3;
    std::vector<double> parameters = StartOf({5, network_}, 3);
    std::vector<double> analytic(parameters.size());
    objective.EvaluateWithGradient(parameters, analytic);
    std::vector<double> difference(parameters.size());
    std::vector<double> sum(parameters.size());
    for (size_t i = 0; i < parameters.size(); ++i) {
      const double here = parameters[i];
      const auto cost = [&](double step) {
        parameters[i] = here + step;
        return objective.Evaluate(parameters).total();
      };
      const double numeric =
          (8 * (cost(kStep) - cost(-kStep)) - (cost(2 * kStep) - cost(-2 * kStep))) / (12 * kStep);
      parameters[i] = here;
      difference[i] = numeric - analytic[i];
      sum[i] = numeric + analytic[i];
    }
    return Norm<double>(difference) / Norm<double>(sum);
  }

  NetworkOptions network_ = {.hidden = {4, 3}, .tied = true};
  ObjectiveOptions options_ = {.rho = {0.2, 0.3}, .beta = {1, 2}, .lambda = 0.1, .noise = kMasked};
  VectorSource source_ = FloatRows(7, 5, 23);
  Executor executor_{1};
  Sweep<double> sweep_{source_, executor_, {.block_rows = 4, .lanes = 2, .blocks_ahead = 2}};
};

TEST_F(PenaltyTest, OneOfOnesOwnPassesTheDerivativeCheck) {
  for (const int64_t layer : {0, 1}) {
    Penalties<double> penalties;
    penalties.push_back(std::make_unique<L2Activity<double>>(0.7, layer));
    Objective<double> objective = With(std::move(penalties));
    EXPECT_LT(DerivativeError(objective), 1e-9);
    EXPECT_EQ(objective.passes(), 1);
    EXPECT_GT(objective.Evaluate(StartOf({5, network_}, 3)).l1, 0);
  }
}

TEST_F(PenaltyTest, OneOfMeansPassesItToo) {
  for (const int64_t layer : {0, 1}) {
    Penalties<double> penalties;
    penalties.push_back(std::make_unique<BalancedUnits<double>>(0.7, layer));
    Objective<double> objective = With(std::move(penalties));
    EXPECT_LT(DerivativeError(objective), 1e-9);
    EXPECT_EQ(objective.passes(), 2);
  }
}

// Several of one term and one layer add up, each with statistics of its own.
TEST_F(PenaltyTest, OnesOwnStandBesideThoseOfTheOptions) {
  options_.gamma = 0.2;
  Penalties<double> penalties = MakePenalties<double>(options_, network_, {5, network_});
  for (const int64_t layer : {1, 0, 1}) {
    penalties.push_back(std::make_unique<L2Activity<double>>(0.7, layer));
    penalties.push_back(std::make_unique<BalancedUnits<double>>(0.3, layer));
  }
  Objective<double> objective = With(std::move(penalties));
  EXPECT_LT(DerivativeError(objective), 1e-9);
}

TEST_F(PenaltyTest, WhatHasNoWeightIsNotThere) {
  const auto count = [&](const ObjectiveOptions& options) {
    return MakePenalties<float>(options, network_, {5, network_}).size();
  };
  ObjectiveOptions options = {.beta = {0}, .lambda = 0};
  EXPECT_EQ(count(options), 0U);
  options.lambda = 1;
  EXPECT_EQ(count(options), 1U);
  options.beta = {2};
  EXPECT_EQ(count(options), 3U) << "one for each of the encoder's layers";
  options.rho = {0.1, 0.2};
  options.beta = {0, 2};
  EXPECT_EQ(count(options), 2U);
  options.gamma = 1;
  EXPECT_EQ(count(options), 3U);
}

TEST_F(PenaltyTest, L1LooksAtTheCodeAndKlAtItsOwnLayer) {
  const ObjectiveOptions options = {.beta = {1}, .lambda = 0, .gamma = 1};
  const Penalties<double> penalties = MakePenalties<double>(options, network_, {5, network_});
  ASSERT_EQ(penalties.size(), 3U);
  EXPECT_EQ(penalties[0]->layer(), 0);
  EXPECT_EQ(penalties[1]->layer(), 1);
  EXPECT_EQ(penalties[2]->layer(), 1);
  EXPECT_EQ(penalties[2]->term(), &CostTerms::l1);
}

}  // namespace
}  // namespace rhohat
