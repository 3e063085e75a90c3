#include "optimize/lbfgs.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
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

// What T's precision lets a minimisation reach.
template <class T>
constexpr double kReach = std::is_same_v<T, float> ? 1e-3 : 1e-8;

template <class T>
double LargestDistance(std::span<const T> x, double target) {
  double largest = 0;
  for (const T value : x) largest = std::max(largest, std::abs(value - target));
  return largest;
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

TYPED_TEST(LbfgsOf, ASmallHistoryOrASingleVariableWillDo) {
  for (const int64_t history : {1, 2, 3}) {
    auto lbfgs = Make(RosenbrockStart<TypeParam>(2), history);
    EXPECT_FALSE(Minimize<TypeParam>(lbfgs, Rosenbrock<TypeParam>, kReach<TypeParam>).failed);
    EXPECT_LT(LargestDistance(lbfgs.point(), 1), 10 * kReach<TypeParam>);
  }
  auto single = Make(std::vector<TypeParam>{40});
  EXPECT_FALSE(Minimize<TypeParam>(single, Quadratic<TypeParam>(1), kReach<TypeParam>).failed);
  EXPECT_LT(LargestDistance(single.point(), 0), kReach<TypeParam>);
}

// The step of an iteration is the difference of its ends, so the conditions can be checked without
// knowing the direction.
TEST(Lbfgs, StrongWolfeHoldsAtEveryAcceptedPoint) {
  const TestFunction<double> functions[] = {Rosenbrock<double>, Quadratic<double>(1e5)};
  for (const TestFunction<double>& function : functions) {
    auto lbfgs = Make(RosenbrockStart<double>(20));
    std::vector<double> point, gradient;
    double cost = 0;
    const auto check = [&] {
      if (!point.empty()) {
        double slope_before = 0, slope_after = 0;
        for (size_t i = 0; i < point.size(); ++i) {
          slope_before += gradient[i] * (lbfgs.point()[i] - point[i]);
          slope_after += lbfgs.gradient()[i] * (lbfgs.point()[i] - point[i]);
        }
        EXPECT_LT(slope_before, 0);
        EXPECT_LE(lbfgs.cost(), cost + 1e-4 * slope_before * (1 - 1e-9));
        EXPECT_LE(std::abs(slope_after), 0.9 * std::abs(slope_before) * (1 + 1e-9));
      }
      point.assign(lbfgs.point().begin(), lbfgs.point().end());
      gradient.assign(lbfgs.gradient().begin(), lbfgs.gradient().end());
      cost = lbfgs.cost();
    };
    EXPECT_FALSE(Minimize<double>(lbfgs, function, 1e-5, 2000, check).failed);
  }
}

TEST(Lbfgs, AnAcceptedPointIsTheTrialPointJustEvaluated) {
  auto lbfgs = Make(RosenbrockStart<double>(2));
  std::vector<double> gradient(2), evaluated;
  for (int i = 0; i < 40; ++i) {
    evaluated.assign(lbfgs.trial().begin(), lbfgs.trial().end());
    const double cost = Rosenbrock<double>(lbfgs.trial(), gradient);
    if (lbfgs.Tell(cost, gradient) != Step::kAccepted) continue;
    EXPECT_EQ(evaluated, std::vector<double>(lbfgs.point().begin(), lbfgs.point().end()));
    EXPECT_EQ(gradient, std::vector<double>(lbfgs.gradient().begin(), lbfgs.gradient().end()));
    EXPECT_EQ(cost, lbfgs.cost());
  }
}

TEST(Lbfgs, AGradientThatVanishesAtTheStartFailsWithTheReason) {
  auto lbfgs = Make(std::vector<double>{1, 1});
  const Outcome outcome = Minimize<double>(lbfgs, Rosenbrock<double>, -1);
  EXPECT_TRUE(outcome.failed);
  EXPECT_EQ(outcome.evaluations, 1);
  EXPECT_NE(lbfgs.failure().find("gradient vanishes"), std::string_view::npos);
  EXPECT_EQ(lbfgs.point()[0], 1);
}

TEST(Lbfgs, AStartThatIsNotFiniteFailsWithTheReason) {
  auto lbfgs = Make(std::vector<double>{1, 1});
  const std::vector<double> gradient{1, 1};
  EXPECT_EQ(lbfgs.Tell(std::nan(""), gradient), Step::kFailed);
  EXPECT_NE(lbfgs.failure().find("not finite"), std::string_view::npos);
}

TEST(Lbfgs, ReachesTheExactMinimumAndThenFailsWithoutMoving) {
  auto lbfgs = Make(std::vector<double>{8});
  const Outcome outcome = Minimize<double>(lbfgs, Quadratic<double>(1), -1, 100);
  EXPECT_TRUE(outcome.failed);
  EXPECT_EQ(lbfgs.point()[0], 0);
  EXPECT_FALSE(lbfgs.failure().empty());
  const std::vector<double> gradient{0};
  EXPECT_EQ(lbfgs.Tell(0, gradient), Step::kFailed);
}

TYPED_TEST(LbfgsOf, StaysInsideALogBarrier) {
  // Σ (i+1) x_i − log x_i, with its minimiser at 1/(i+1) and no value for x_i ≤ 0.
  const TestFunction<TypeParam> barrier = [](std::span<const TypeParam> x,
                                             std::span<TypeParam> gradient) {
    double sum = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      const auto weight = static_cast<double>(i + 1);
      sum += weight * x[i] - std::log(static_cast<double>(x[i]));
      gradient[i] = static_cast<TypeParam>(weight - 1.0 / x[i]);
    }
    return sum;
  };
  for (const double start : {1e-4, 1.0, 50.0}) {
    auto lbfgs = Make(std::vector<TypeParam>(10, static_cast<TypeParam>(start)));
    const Outcome outcome = Minimize<TypeParam>(lbfgs, barrier, 1e-2, 1000);
    EXPECT_FALSE(outcome.failed) << lbfgs.failure();
    EXPECT_LT(outcome.evaluations, 400);
    for (int i = 0; i < 10; ++i) EXPECT_NEAR(lbfgs.point()[i], 1.0 / (i + 1), 1e-2);
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

TEST(Lbfgs, AFunctionComputedInFloatEndsNearItsMinimumInsteadOfLooping) {
  // Values rounded to float beside an offset: near the minimum the noise is all there is.
  const TestFunction<float> noisy = [](std::span<const float> x, std::span<float> gradient) {
    float sum = 100;
    for (size_t i = 0; i < x.size(); ++i) {
      const float curvature = 1 + static_cast<float>(i);
      sum += curvature * (x[i] - 1) * (x[i] - 1);
      gradient[i] = 2 * curvature * (x[i] - 1) + 1e-4F * std::sin(1e5F * x[i]);
    }
    return static_cast<double>(sum);
  };
  for (const int64_t history : {1, 5, 20}) {
    auto lbfgs = Make(std::vector<float>(30, -3), history);
    const Outcome outcome = Minimize<float>(lbfgs, noisy, -1, 2000);
    EXPECT_TRUE(outcome.failed);
    EXPECT_LT(outcome.evaluations, 200);
    EXPECT_LT(LargestDistance(lbfgs.point(), 1), 1e-2);
    EXPECT_NE(lbfgs.failure().find("no lower point"), std::string_view::npos);
  }
}

TEST(Lbfgs, AGradientOfTheWrongSignFailsAtTheStart) {
  const TestFunction<double> wrong = [](std::span<const double> x, std::span<double> gradient) {
    const double cost = Rosenbrock<double>(x, gradient);
    for (double& g : gradient) g = -g;
    return cost;
  };
  auto lbfgs = Make(RosenbrockStart<double>(4));
  const Outcome outcome = Minimize<double>(lbfgs, wrong, -1, 1000);
  EXPECT_TRUE(outcome.failed);
  EXPECT_EQ(outcome.iterations, 0);
  EXPECT_LT(outcome.evaluations, 50);
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

TYPED_TEST(LbfgsOf, ACopyBetweenAnyTwoEvaluationsGoesOnToTheSameBits) {
  auto straight = Make(RosenbrockStart<TypeParam>(10), 3);
  auto copied = std::make_unique<Lbfgs<TypeParam>>(straight);
  std::vector<TypeParam> gradient(10);
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(
        std::equal(straight.trial().begin(), straight.trial().end(), copied->trial().begin()));
    const double cost = Rosenbrock<TypeParam>(straight.trial(), gradient);
    const Step step = straight.Tell(cost, gradient);
    copied = std::make_unique<Lbfgs<TypeParam>>(*copied);
    ASSERT_EQ(copied->Tell(cost, gradient), step);
    if (step == Step::kFailed) break;
  }
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
  const std::vector<double> point(lbfgs.point().begin(), lbfgs.point().end());
  lbfgs.ChangeFunction();
  EXPECT_EQ(point, std::vector<double>(lbfgs.trial().begin(), lbfgs.trial().end()));
  const double cost = Quadratic<double>(3)(lbfgs.trial(), gradient);
  EXPECT_EQ(lbfgs.Tell(cost, gradient), Step::kAccepted);
  EXPECT_EQ(point, std::vector<double>(lbfgs.point().begin(), lbfgs.point().end()));
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
  auto anew = Make(std::vector<double>(kept.point().begin(), kept.point().end()));
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
