#include "analyze/evaluation_work.h"

#include <gtest/gtest.h>

#include <string>

#include "objective/compute_plan.h"
#include "rhohat/bench.h"

namespace rhohat {
namespace {

constexpr double kN = 784;
constexpr double kH = 196;

const NetworkShape kOneLayer(784, {196});
const NetworkShape kDeep(50, {20, 10, 5});

TEST(EvaluationWork, OfOneHiddenLayerIsTheMultiplesOfNhOfTheMathematics) {
  EXPECT_DOUBLE_EQ(WorkOf(kOneLayer, Schedule::kTwoPass, true).flops_per_row, 12 * kN * kH);
  EXPECT_DOUBLE_EQ(WorkOf(kOneLayer, Schedule::kFused, true).flops_per_row, 12 * kN * kH);
  EXPECT_DOUBLE_EQ(WorkOf(kOneLayer, Schedule::kCached, true, 1).flops_per_row, 10 * kN * kH);
}

TEST(EvaluationWork, IsOnePassOfTenNhWhereNothingDependsOnRhoHat) {
  for (const Schedule schedule : {Schedule::kTwoPass, Schedule::kCached, Schedule::kFused}) {
    const EvaluationWork work = WorkOf(kOneLayer, schedule, false, 1);
    EXPECT_EQ(work.passes, 1);
    EXPECT_DOUBLE_EQ(work.flops_per_row, 10 * kN * kH);
  }
}

TEST(EvaluationWork, FallsSmoothlyWithTheCodesKept) {
  EXPECT_DOUBLE_EQ(WorkOf(kOneLayer, Schedule::kCached, true, 0).flops_per_row, 12 * kN * kH);
  EXPECT_DOUBLE_EQ(WorkOf(kOneLayer, Schedule::kCached, true, 0.25).flops_per_row, 11.5 * kN * kH);
  EXPECT_EQ(WorkOf(kOneLayer, Schedule::kCached, true, 0.25).products.size(), 6U);
  EXPECT_EQ(WorkOf(kOneLayer, Schedule::kCached, true, 0.75).products.size(), 5U);
}

TEST(EvaluationWork, AgreesWithThePlanOfDeepNetworks) {
  for (const bool has_mean_slope : {false, true}) {
    EXPECT_DOUBLE_EQ(WorkOf(kDeep, Schedule::kTwoPass, has_mean_slope).flops_per_row,
                     FlopsPerRow(kDeep, has_mean_slope ? 2 : 1));
  }
}

TEST(EvaluationWork, ReadsFusedOnceAndTwoPassTwice) {
  EXPECT_EQ(WorkOf(kOneLayer, Schedule::kTwoPass, true).passes, 2);
  EXPECT_EQ(WorkOf(kOneLayer, Schedule::kCached, true, 1).passes, 2);
  EXPECT_EQ(WorkOf(kOneLayer, Schedule::kFused, true).passes, 1);
}

TEST(EvaluationWork, MovesRowsOnceAPassAndWhatProductsLeaveTwice) {
  // Two rows; codes of both passes, a reconstruction, ∂/∂a: each written and read.
  EXPECT_DOUBLE_EQ(BytesPerRow(WorkOf(kOneLayer, Schedule::kTwoPass, true), 4),
                   4 * (2 * kN + 2 * (kH + kH + kN + kH)));
  EXPECT_DOUBLE_EQ(BytesPerRow(WorkOf(kOneLayer, Schedule::kFused, true), 8),
                   8 * (kN + 2 * (kH + kN + kH)));
}

TEST(Ceilings, BindWhereTheyAreSmallest) {
  EXPECT_EQ(std::string((Ceilings{.products = 1, .reading = 2, .memory = 3}).binding()),
            "products");
  EXPECT_EQ(std::string((Ceilings{.products = 3, .reading = 2, .memory = 4}).binding()), "reading");
  EXPECT_EQ(std::string((Ceilings{.products = 3, .reading = 4, .memory = 2}).binding()), "memory");
  EXPECT_EQ((Ceilings{.products = 3, .reading = 4, .memory = 2}).smallest(), 2);
}

TEST(Ceilings, ThatAreNotNeededDoNotBind) {
  const Ceilings ceilings{.products = 7};
  EXPECT_EQ(ceilings.smallest(), 7);
  EXPECT_EQ(std::string(ceilings.binding()), "products");
}

}  // namespace
}  // namespace rhohat
