#include "train/result_verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "rhohat/error.h"

namespace rhohat {
namespace {

using ::testing::HasSubstr;

IterationMetrics Line(int64_t iteration, double cost, CostOver over = CostOver::kAllRows) {
  IterationMetrics line{.iteration = iteration, .cost_over = over};
  line.cost.reconstruction = cost;
  return line;
}

TEST(RiseTest, IsToldWithBothEnds) {
  EXPECT_EQ(RiseBetween(Line(0, 2), Line(7, 3), 0.01),
            "J rose from 2 at iteration 0 to 3 at iteration 7");
}

TEST(RiseTest, IsNoneWhereJFellOrRoseByNoMoreThanTheFraction) {
  EXPECT_EQ(RiseBetween(Line(0, 2), Line(7, 1), 0.01), "");
  EXPECT_EQ(RiseBetween(Line(0, 2), Line(7, 2), 0.01), "");
  EXPECT_EQ(RiseBetween(Line(0, 2), Line(7, 2.01), 0.01), "");
  EXPECT_NE(RiseBetween(Line(0, 2), Line(7, 2.03), 0.01), "");
}

TEST(RiseTest, IsOnlyAskedOfAllRows) {
  for (const CostOver over : {CostOver::kSample, CostOver::kEpoch}) {
    EXPECT_EQ(RiseBetween(Line(0, 2, over), Line(7, 3), 0.01), "");
    EXPECT_EQ(RiseBetween(Line(0, 2), Line(7, 3, over), 0.01), "");
  }
}

TEST(SaturationTest, IsOfAllUnits) {
  EXPECT_THAT(Saturation(std::vector{1e-7, 1 - 1e-7, 0.0, 1.0}, Activation::kSigmoid),
              HasSubstr("all 4 units"));
  EXPECT_EQ(Saturation(std::vector{1e-7, 1e-5}, Activation::kSigmoid), "");
  EXPECT_EQ(Saturation(std::vector{0.3, 1.0}, Activation::kSigmoid), "");
  EXPECT_EQ(Saturation({}, Activation::kSigmoid), "");
}

TEST(SaturationTest, IsNoneWithoutBounds) {
  EXPECT_EQ(Saturation(std::vector{0.0, 1.0}, Activation::kLinear), "");
}

TEST(DivergenceTest, IsAFaultOfTheOptions) {
  try {
    ThrowDiverged("epoch 2", "J is no number");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_THAT(error.what(), HasSubstr("epoch 2: the iteration diverged: J is no number"));
    EXPECT_THAT(error.what(), HasSubstr("smaller --learning-rate"));
  }
}

}  // namespace
}  // namespace rhohat
