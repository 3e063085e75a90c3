#include "optimize/stop_rule.h"

#include <gtest/gtest.h>

#include <cmath>

#include "rhohat/error.h"
#include "tests/support/state_copy.h"

namespace rhohat {
namespace {

// The iteration at which a cost of `cost(i)` stops, and why; −1 where nothing stops 1000 of them.
template <class Cost>
std::pair<int, std::string> StopOf(StopRule rule, const Cost& cost) {
  for (int i = 0; i < 1000; ++i) {
    if (const auto reason = rule.Stop(cost(i), 1)) return {i, *reason};
  }
  return {-1, ""};
}

double Halving(int iteration) { return std::pow(0.5, iteration); }

TEST(StopRule, EndsAfterTheIterationsAskedFor) {
  using Stop = std::pair<int, std::string>;
  EXPECT_EQ(StopOf(StopRule({.iterations = 400}), Halving), Stop(400, "400 iterations reached"));
  EXPECT_EQ(StopOf(StopRule({.iterations = 1}), Halving), Stop(1, "1 iteration reached"));
  EXPECT_EQ(StopOf(StopRule({.iterations = 0}), Halving), Stop(0, "0 iterations reached"));
}

TEST(StopRule, EndsWhereTheGradientIsSmall) {
  StopRule rule({.gradient_tolerance = 1e-5});
  EXPECT_EQ(rule.Stop(1, 1.1e-5), std::nullopt);
  EXPECT_EQ(rule.Stop(1, 8.1e-6), "gradient norm 8.1e-06 is at or below 1e-05");
  EXPECT_EQ(rule.Stop(1, 1e-5), "gradient norm 1e-05 is at or below 1e-05");
}

TEST(StopRule, AToleranceOfZeroForTheGradientStopsOnlyWhereItVanishes) {
  StopRule rule({.gradient_tolerance = 0});
  EXPECT_EQ(rule.Stop(1, 1e-300), std::nullopt);
  EXPECT_EQ(rule.Stop(1, 0), "the gradient vanishes");
}

TEST(StopRule, ComparesWithTheCostTenIterationsAgo) {
  // Falls by 1 to iteration 20, then by 1e-6 an iteration: 1e-5 in ten, of about 80.
  const auto cost = [](int i) { return i <= 20 ? 100.0 - i : 80 - 1e-6 * (i - 20); };
  const auto [iteration, reason] = StopOf(StopRule({.tolerance = 1e-6}), cost);
  EXPECT_EQ(iteration, 30);
  EXPECT_EQ(reason, "J fell by less than 1e-06 of itself over ten iterations");
  EXPECT_EQ(StopOf(StopRule({.tolerance = 1e-7}), cost).first, 400);
}

TEST(StopRule, TheDecreaseIsRelativeToTheCostsSize) {
  const auto constant = [](int) { return 0.0; };
  EXPECT_EQ(StopOf(StopRule({}), constant).first, 10);
  const auto negative = [](int i) { return -1e6 - i; };
  EXPECT_EQ(StopOf(StopRule({.tolerance = 1e-6}), negative).first, 400);
  EXPECT_EQ(StopOf(StopRule({.tolerance = 1e-4}), negative).first, 10);
}

TEST(StopRule, AToleranceOfZeroNeverStops) {
  const auto rising = [](int i) { return 1.0 + i; };
  EXPECT_EQ(StopOf(StopRule({.tolerance = 0}), rising).first, 400);
}

TEST(StopRule, ARisingCostIsCalledThat) {
  const auto rising = [](int i) { return 1.0 + i; };
  const auto [iteration, reason] = StopOf(StopRule({}), rising);
  EXPECT_EQ(iteration, 10);
  EXPECT_EQ(reason, "J rose over ten iterations");
}

TEST(StopRule, ACopyGoesOnAsTheOriginal) {
  StopRule rule({.tolerance = 1e-3});
  for (int i = 0; i < 7; ++i) EXPECT_EQ(rule.Stop(5, 1), std::nullopt);
  StopRule copy = rule;
  for (int i = 7; i < 10; ++i) EXPECT_EQ(copy.Stop(5, 1), std::nullopt);
  EXPECT_NE(copy.Stop(5, 1), std::nullopt);
}

TEST(StopRule, GoesOnFromAfterAnyIteration) {
  const StopRuleOptions options = {.iterations = 40, .tolerance = 1e-3};
  const auto cost = [](int i) { return 1 + std::pow(0.6, i); };
  StopRule straight(options);
  const int end = StopOf(straight, cost).first;
  ASSERT_GT(end, 20);
  for (int i = 0; i < end; ++i) {
    StateCopy saved;
    straight.Visit(saved);
    saved.Load();
    StopRule loaded(options);
    loaded.Visit(saved);
    for (int j = i; j < end; ++j) ASSERT_EQ(loaded.Stop(cost(j), 1), std::nullopt) << i << " " << j;
    EXPECT_NE(loaded.Stop(cost(end), 1), std::nullopt) << i;
    straight.Stop(cost(i), 1);
  }
}

TEST(StopRule, AnIterationThatCannotBeIsRefused) {
  for (int64_t iteration : {int64_t{-2}, INT64_MIN, INT64_MAX}) {
    StateCopy saved;
    saved.Number("iteration", iteration);
    saved.Load();
    StopRule rule({});
    EXPECT_THROW(rule.Visit(saved), Error);
  }
}

}  // namespace
}  // namespace rhohat
