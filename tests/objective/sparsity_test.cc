#include "objective/sparsity.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace rhohat {
namespace {

TEST(SparsityTest, CostIsZeroAtTheTargetAndGrowsAwayFromIt) {
  const std::vector<double> at = {0.1, 0.1};
  EXPECT_NEAR(SparsityCost(0.1, 3, at), 0, 1e-15);
  const std::vector<double> near = {0.15, 0.1};
  const std::vector<double> far = {0.5, 0.1};
  EXPECT_GT(SparsityCost(0.1, 3, near), 0);
  EXPECT_GT(SparsityCost(0.1, 3, far), SparsityCost(0.1, 3, near));
  EXPECT_NEAR(SparsityCost(0.1, 3, far),
              3 * (0.1 * std::log(0.1 / 0.5) + 0.9 * std::log(0.9 / 0.5)), 1e-15);
}

TEST(SparsityTest, SlopeIsTheDerivativeOfTheCost) {
  constexpr double kStep = 1e-6;
  for (const double mean : {0.01, 0.1, 0.3, 0.9}) {
    const std::vector<double> here = {mean};
    const std::vector<double> after = {mean + kStep};
    const std::vector<double> before = {mean - kStep};
    std::vector<double> slope(1);
    SparsitySlope<double>(0.1, 2, here, slope);
    EXPECT_NEAR(slope[0],
                (SparsityCost(0.1, 2, after) - SparsityCost(0.1, 2, before)) / (2 * kStep), 1e-6);
  }
}

TEST(SparsityTest, MeansOfExactlyZeroAndOneAreMovedInside) {
  const std::vector<double> sums = {0, 2, 4, 1e-320};
  std::vector<double> rho_hat(4);
  MeanActivation(sums, 4, rho_hat);
  EXPECT_EQ(CountExtremeUnits<float>(rho_hat), 3);
  EXPECT_EQ(CountExtremeUnits<double>(rho_hat), 3);
  EXPECT_GT(rho_hat[0], 0);
  EXPECT_EQ(rho_hat[1], 0.5);
  EXPECT_LT(rho_hat[2], 1);
  EXPECT_TRUE(std::isfinite(SparsityCost(0.1, 3, rho_hat)));
  std::vector<float> slope(4);
  SparsitySlope<float>(0.1, 3, rho_hat, slope);
  for (const float value : slope) EXPECT_TRUE(std::isfinite(value));
}

TEST(SparsityTest, WithoutWeightThereIsNoCostWhateverTheMeans) {
  const std::vector<double> rho_hat = {0.4, 0.9};
  EXPECT_EQ(SparsityCost(0.1, 0, rho_hat), 0);
}

}  // namespace
}  // namespace rhohat
