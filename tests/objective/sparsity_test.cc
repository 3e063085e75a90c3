#include "objective/sparsity.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "objective/penalty.h"

namespace rhohat {
namespace {

// The KL penalty of one layer of `units` units.
template <class T>
std::unique_ptr<Penalty<T>> Kl(double rho, double beta, int64_t units,
                               Activation activation = Activation::kSigmoid) {
  const NetworkOptions network = {.hidden = {units}, .activation = activation};
  const ObjectiveOptions options = {.rho = {rho}, .beta = {beta}, .lambda = 0};
  return std::move(MakePenalties<T>(options, network, {units, network}).at(0));
}

double CostOf(double rho, double beta, const std::vector<double>& rho_hat) {
  return Kl<double>(rho, beta, std::ssize(rho_hat))->Cost({}, {rho_hat, {}});
}

template <class T>
std::vector<T> SlopeOf(double rho, double beta, const std::vector<double>& rho_hat,
                       Activation activation = Activation::kSigmoid) {
  std::vector<T> slope(rho_hat.size());
  Kl<T>(rho, beta, std::ssize(rho_hat), activation)->AddMeanSlope(rho_hat, slope);
  return slope;
}

TEST(SparsityTest, CostIsZeroAtTheTargetAndGrowsAwayFromIt) {
  EXPECT_NEAR(CostOf(0.1, 3, {0.1, 0.1}), 0, 1e-15);
  EXPECT_GT(CostOf(0.1, 3, {0.15, 0.1}), 0);
  EXPECT_GT(CostOf(0.1, 3, {0.5, 0.1}), CostOf(0.1, 3, {0.15, 0.1}));
  EXPECT_NEAR(CostOf(0.1, 3, {0.5, 0.1}),
              3 * (0.1 * std::log(0.1 / 0.5) + 0.9 * std::log(0.9 / 0.5)), 1e-15);
}

TEST(SparsityTest, SlopeIsTheDerivativeOfTheCostByTheMean) {
  constexpr double kStep = 1e-6;
  for (const double mean : {0.01, 0.1, 0.3, 0.9}) {
    EXPECT_NEAR(SlopeOf<double>(0.1, 2, {mean})[0],
                (CostOf(0.1, 2, {mean + kStep}) - CostOf(0.1, 2, {mean - kStep})) / (2 * kStep),
                1e-6);
  }
}

// By a, of which ρ̂ = (1 + a)/2 has half the slope.
TEST(SparsityTest, SlopeOfTanhUnitsIsHalfAsSteep) {
  EXPECT_EQ(SlopeOf<double>(0.1, 2, {0.3}, Activation::kTanh)[0],
            SlopeOf<double>(0.1, 2, {0.3})[0] / 2);
}

TEST(SparsityTest, SlopesAreAddedToWhatIsThere) {
  const std::vector<double> rho_hat = {0.3};
  std::vector<double> slope = {5};
  Kl<double>(0.1, 2, 1)->AddMeanSlope(rho_hat, slope);
  EXPECT_NEAR(slope[0], 5 + SlopeOf<double>(0.1, 2, rho_hat)[0], 1e-14);
}

TEST(SparsityTest, MeansOfExactlyZeroAndOneAreMovedInside) {
  const std::vector<double> sums = {0, 2, 4, 1e-320};
  std::vector<double> rho_hat(4);
  MeanActivation(sums, 4, Activation::kSigmoid, rho_hat);
  EXPECT_EQ(CountExtremeUnits<float>(rho_hat, Activation::kSigmoid), 3);
  EXPECT_EQ(CountExtremeUnits<double>(rho_hat, Activation::kSigmoid), 3);
  EXPECT_GT(rho_hat[0], 0);
  EXPECT_EQ(rho_hat[1], 0.5);
  EXPECT_LT(rho_hat[2], 1);
  EXPECT_TRUE(std::isfinite(CostOf(0.1, 3, rho_hat)));
  for (const float value : SlopeOf<float>(0.1, 3, rho_hat)) EXPECT_TRUE(std::isfinite(value));
  for (const double value : SlopeOf<double>(0.1, 1e9, rho_hat)) EXPECT_TRUE(std::isfinite(value));
}

TEST(SparsityTest, MeansOfTanhUnitsAreMappedIntoTheUnitRange) {
  const std::vector<double> sums = {-4, -2, 0, 3, 4};
  std::vector<double> rho_hat(5);
  MeanActivation(sums, 4, Activation::kTanh, rho_hat);
  EXPECT_GT(rho_hat[0], 0);
  EXPECT_EQ(rho_hat[1], 0.25);
  EXPECT_EQ(rho_hat[2], 0.5);
  EXPECT_EQ(rho_hat[3], 0.875);
  EXPECT_LT(rho_hat[4], 1);
  EXPECT_EQ(CountExtremeUnits<float>(rho_hat, Activation::kTanh), 2);
}

TEST(SparsityTest, MeansOfUnboundedUnitsStayWhatTheyAre) {
  const std::vector<double> sums = {-8, 0, 4, 80};
  for (const Activation activation : {Activation::kRelu, Activation::kLinear}) {
    std::vector<double> rho_hat(4);
    MeanActivation(sums, 4, activation, rho_hat);
    EXPECT_EQ(rho_hat, (std::vector<double>{-2, 0, 1, 20}));
    EXPECT_EQ(CountExtremeUnits<float>(rho_hat, activation), 0);
  }
}

}  // namespace
}  // namespace rhohat
