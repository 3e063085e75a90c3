#include "optimize/learning_rate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace rhohat {
namespace {

TEST(LearningRateTest, ConstantIsTheSameAtEveryStep) {
  const LearningRate rate{.base = 0.25, .steps = 100};
  for (const int64_t step : {0, 1, 50, 99, 1000}) EXPECT_EQ(rate.At(step), 0.25);
}

TEST(LearningRateTest, CosineFallsFromTheBaseToNothing) {
  const LearningRate rate{.base = 0.5, .cosine = true, .steps = 40};
  EXPECT_EQ(rate.At(0), 0.5);
  for (int64_t step = 0; step < 40; ++step) {
    const double angle = std::numbers::pi * static_cast<double>(step) / 40;
    EXPECT_NEAR(rate.At(step), 0.25 * (1 + std::cos(angle)), 1e-15);
    EXPECT_GT(rate.At(step), rate.At(step + 1));
  }
  EXPECT_NEAR(rate.At(40), 0, 1e-15);
  EXPECT_NEAR(rate.At(41), 0, 1e-15);  // never rises again
}

TEST(LearningRateTest, WarmupRisesInEqualStepsToTheBase) {
  for (const bool cosine : {false, true}) {
    const LearningRate rate{.base = 0.8, .cosine = cosine, .warmup_steps = 4, .steps = 20};
    EXPECT_DOUBLE_EQ(rate.At(0), 0.2);
    EXPECT_DOUBLE_EQ(rate.At(1), 0.4);
    EXPECT_DOUBLE_EQ(rate.At(3), 0.8);
    EXPECT_EQ(rate.At(4), 0.8);
    EXPECT_EQ(rate.At(12) < 0.8, cosine);
  }
}

TEST(LearningRateTest, WarmupMayBeAllThereIs) {
  const LearningRate rate{.base = 1, .cosine = true, .warmup_steps = 10, .steps = 10};
  EXPECT_DOUBLE_EQ(rate.At(9), 1);
  EXPECT_TRUE(std::isfinite(rate.At(10)));
}

}  // namespace
}  // namespace rhohat
