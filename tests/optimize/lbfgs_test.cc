#include "optimize/lbfgs.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "rhohat/error.h"
#include "tests/optimize/test_functions.h"

namespace rhohat {
namespace {

template <class T>
class LbfgsOf : public testing::Test {};
using Elements = testing::Types<float, double>;
TYPED_TEST_SUITE(LbfgsOf, Elements);

template <class T>
Lbfgs<T> Make(const std::vector<T>& start, int64_t history = 20) {
  return Lbfgs<T>(start, LbfgsOptions{history});
}

TYPED_TEST(LbfgsOf, RosenbrockInTwoVariablesTakesFewerThanSixtyEvaluations) {
  auto lbfgs = Make(RosenbrockStart<TypeParam>(2));
  const Outcome outcome = Minimize<TypeParam>(lbfgs, Rosenbrock<TypeParam>, kReach<TypeParam>);
  EXPECT_FALSE(outcome.failed);
  EXPECT_LT(outcome.evaluations, 60);
  EXPECT_LT(LargestDistance(lbfgs.point(), 1), 10 * kReach<TypeParam>);
}

TYPED_TEST(LbfgsOf, ExtendedRosenbrockInAHundredVariables) {
  auto lbfgs = Make(RosenbrockStart<TypeParam>(100));
  const Outcome outcome = Minimize<TypeParam>(lbfgs, Rosenbrock<TypeParam>, 3 * kReach<TypeParam>);
  EXPECT_FALSE(outcome.failed);
  EXPECT_LT(outcome.evaluations, 60);
  EXPECT_LT(LargestDistance(lbfgs.point(), 1), 30 * kReach<TypeParam>);
}

TYPED_TEST(LbfgsOf, IllConditionedQuadratic) {
  const double condition = std::is_same_v<TypeParam, float> ? 1e3 : 1e5;
  auto lbfgs = Make(std::vector<TypeParam>(50, TypeParam{100}));
  const Outcome outcome = Minimize<TypeParam>(lbfgs, Quadratic<TypeParam>(condition),
                                              0.1 * kReach<TypeParam> * condition);
  EXPECT_FALSE(outcome.failed) << lbfgs.failure();
  EXPECT_LT(outcome.evaluations, 3000);
}

TYPED_TEST(LbfgsOf, ASmallHistoryWillDo) {
  for (const int64_t history : {1, 2, 3}) {
    auto lbfgs = Make(RosenbrockStart<TypeParam>(2), history);
    EXPECT_FALSE(Minimize<TypeParam>(lbfgs, Rosenbrock<TypeParam>, kReach<TypeParam>).failed);
    EXPECT_LT(LargestDistance(lbfgs.point(), 1), 10 * kReach<TypeParam>);
  }
}

TEST(Lbfgs, LeavesAFlatRegion) {
  // 1 − exp(−‖x‖²/2) is flat far out: the gradient at distance 5 is 2e-5.
  const TestFunction<double> well = [](std::span<const double> x, std::span<double> gradient) {
    const double height = std::exp(-(x[0] * x[0] + x[1] * x[1]) / 2);
    for (size_t i = 0; i < 2; ++i) gradient[i] = height * x[i];
    return 1 - height;
  };
  auto lbfgs = Make(std::vector<double>{3, 4});
  const Outcome outcome = Minimize<double>(lbfgs, well, 1e-8, 500);
  EXPECT_FALSE(outcome.failed) << lbfgs.failure();
  EXPECT_LT(LargestDistance(lbfgs.point(), 0), 1e-6);
  EXPECT_LT(outcome.evaluations, 60);
}

TYPED_TEST(LbfgsOf, ARepeatIsTheSameToTheBit) {
  std::vector<std::vector<TypeParam>> trials[2];
  for (auto& run : trials) {
    auto lbfgs = Make(RosenbrockStart<TypeParam>(37), 5);
    const TestFunction<TypeParam> recorded = [&](std::span<const TypeParam> x,
                                                 std::span<TypeParam> gradient) {
      run.emplace_back(x.begin(), x.end());
      return Quadratic<TypeParam>(1e3)(x, gradient);
    };
    Minimize<TypeParam>(lbfgs, recorded, kReach<TypeParam>, 200);
  }
  EXPECT_GT(trials[0].size(), 20U);
  EXPECT_EQ(trials[0], trials[1]);
}

TEST(Lbfgs, MemoryIsTheStatedVectorsAndScalars) {
  EXPECT_EQ(Lbfgs<float>::MemoryBytes(1000, 20), 44U * 1000 * 4 + 40 * 8);
  EXPECT_EQ(Lbfgs<double>::MemoryBytes(7, 1), 6U * 7 * 8 + 2 * 8);
  EXPECT_THROW(Lbfgs<double>::MemoryBytes(size_t{1} << 60, 20), Error);
  EXPECT_THROW(Lbfgs<float>::MemoryBytes(1000, int64_t{1} << 62), Error);
}

TEST(Lbfgs, AHistoryOfNoneIsRefused) {
  const std::vector<double> start{1, 2};
  EXPECT_THROW(Lbfgs<double>(start, LbfgsOptions{0}), Error);
  EXPECT_THROW(Lbfgs<double>(start, LbfgsOptions{-3}), Error);
}

// 7/2 (x − minimiser)²: one pair says all there is to know of it.
TestFunction<double> Parabola(double minimiser) {
  return [=](std::span<const double> x, std::span<double> gradient) {
    const double distance = x[0] - minimiser;
    gradient[0] = 7 * distance;
    return 3.5 * distance * distance;
  };
}

TEST(LbfgsThatChangesFunction, BeginsAtItsPointEvenAmidALineSearch) {
  auto lbfgs = Make(RosenbrockStart<double>(2));
  std::vector<double> gradient(2);
  Step step = Step::kAccepted;
  for (int i = 0; i < 3 || step != Step::kSearching; ++i) {
    step = lbfgs.Tell(Rosenbrock<double>(lbfgs.trial(), gradient), gradient);
  }
  const std::vector<double> point = Copy(lbfgs.point());
  lbfgs.ChangeFunction();
  EXPECT_EQ(point, Copy(lbfgs.trial()));
  const double cost = Quadratic<double>(3)(lbfgs.trial(), gradient);
  EXPECT_EQ(lbfgs.Tell(cost, gradient), Step::kAccepted);
  EXPECT_EQ(point, Copy(lbfgs.point()));
  EXPECT_EQ(lbfgs.cost(), cost);
}

// A pair made of gradients on both sides of the change would say another curvature than 7.
TEST(LbfgsThatChangesFunction, KeepsItsPairsAndMakesNoneOfTwoFunctions) {
  auto lbfgs = Make(std::vector<double>{40});
  std::vector<double> gradient(1);
  while (lbfgs.point()[0] == 40) lbfgs.Tell(Parabola(3)(lbfgs.trial(), gradient), gradient);
  lbfgs.ChangeFunction();
  lbfgs.Tell(Parabola(-500)(lbfgs.trial(), gradient), gradient);
  EXPECT_NEAR(lbfgs.trial()[0], -500, 1e-9);
}

TEST(LbfgsThatChangesFunction, TakesFewerEvaluationsThanOneThatBeginsAnew) {
  std::vector<double> start(30, 100);
  auto kept = Make(start);
  Minimize<double>(kept, Quadratic<double>(100), 1e-6);
  auto anew = Make(Copy(kept.point()));
  kept.ChangeFunction();
  const TestFunction<double> similar = [](std::span<const double> x, std::span<double> gradient) {
    double cost = Quadratic<double>(110)(x, gradient);
    for (size_t i = 0; i < x.size(); ++i) {
      cost += std::sin(static_cast<double>(i)) * x[i];
      gradient[i] += std::sin(static_cast<double>(i));
    }
    return cost;
  };
  const Outcome of_kept = Minimize<double>(kept, similar, 1e-3);
  const Outcome of_anew = Minimize<double>(anew, similar, 1e-3);
  EXPECT_FALSE(of_kept.failed || of_anew.failed);
  EXPECT_LT(of_kept.evaluations, of_anew.evaluations);
}

TEST(LbfgsThatChangesFunction, GoesOnAfterAFailure) {
  auto lbfgs = Make(std::vector<double>{3});
  std::vector<double> gradient(1);
  ASSERT_EQ(lbfgs.Tell(Parabola(3)(lbfgs.trial(), gradient), gradient), Step::kFailed);
  lbfgs.ChangeFunction();
  EXPECT_EQ(lbfgs.failure(), "");
  EXPECT_FALSE(Minimize<double>(lbfgs, Parabola(5), 1e-9).failed);
  EXPECT_NEAR(lbfgs.point()[0], 5, 1e-9);
}

}  // namespace
}  // namespace rhohat
