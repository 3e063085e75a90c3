// What every method that searches along directions does, whichever its directions are.
#include "optimize/direction_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "optimize/conjugate_gradient.h"
#include "optimize/lbfgs.h"
#include "tests/optimize/test_functions.h"

namespace rhohat {
namespace {

template <class T, int64_t pairs>
struct LbfgsOf : Lbfgs<T> {
  using Element = T;
  static constexpr double kMostSlopeLeft = 0.9;  // of the slope before a step
  static constexpr int64_t kEvaluationsInBarrier = pairs > 1 ? 400 : 500;  // at most
  static constexpr int64_t kEvaluationsInValley = 40;                      // at least
  explicit LbfgsOf(const std::vector<T>& start) : Lbfgs<T>(start, LbfgsOptions{pairs}) {}
};

template <class T>
struct ConjugateGradientOf : ConjugateGradient<T> {
  using Element = T;
  static constexpr double kMostSlopeLeft = 0.1;
  static constexpr int64_t kEvaluationsInBarrier = 700;
  static constexpr int64_t kEvaluationsInValley = 50;
  explicit ConjugateGradientOf(const std::vector<T>& start) : ConjugateGradient<T>(start) {}
};

// ---- In float and double
// -------------------------------------------------------------------------

template <class Method>
class DirectionSearchOf : public testing::Test {};
using Methods =
    testing::Types<LbfgsOf<float, 20>, LbfgsOf<double, 20>, LbfgsOf<float, 3>, LbfgsOf<float, 1>,
                   LbfgsOf<double, 3>, ConjugateGradientOf<float>, ConjugateGradientOf<double>>;
TYPED_TEST_SUITE(DirectionSearchOf, Methods);

TYPED_TEST(DirectionSearchOf, ASingleVariable) {
  using T = typename TypeParam::Element;
  TypeParam method({T{40}});
  const Outcome outcome = Minimize<T>(method, Quadratic<T>(1), kReach<T>);
  EXPECT_FALSE(outcome.failed) << method.failure();
  EXPECT_LT(outcome.evaluations, 10);
  EXPECT_LT(LargestDistance(method.point(), 0), kReach<T>);
}

TYPED_TEST(DirectionSearchOf, StaysInsideALogBarrier) {
  using T = typename TypeParam::Element;
  for (const double start : {1e-4, 1.0, 50.0}) {
    TypeParam method(std::vector<T>(10, static_cast<T>(start)));
    const Outcome outcome = Minimize<T>(method, LogBarrier<T>, 1e-2, 1000);
    EXPECT_FALSE(outcome.failed) << method.failure();
    EXPECT_LT(outcome.evaluations, TypeParam::kEvaluationsInBarrier);
    for (int i = 0; i < 10; ++i) EXPECT_NEAR(method.point()[i], 1.0 / (i + 1), 1e-2);
  }
}

TYPED_TEST(DirectionSearchOf, ACopyBetweenAnyTwoEvaluationsGoesOnToTheSameBits) {
  using T = typename TypeParam::Element;
  TypeParam straight(RosenbrockStart<T>(10));
  auto copied = std::make_unique<TypeParam>(straight);
  std::vector<T> gradient(10);
  int64_t evaluations = 0;
  for (; evaluations < 100; ++evaluations) {
    ASSERT_TRUE(std::ranges::equal(straight.trial(), copied->trial()));
    const double cost = Rosenbrock<T>(straight.trial(), gradient);
    const Step step = straight.Tell(cost, gradient);
    copied = std::make_unique<TypeParam>(*copied);
    ASSERT_EQ(copied->Tell(cost, gradient), step);
    if (step == Step::kFailed) break;
  }
  EXPECT_GT(evaluations, TypeParam::kEvaluationsInValley);
}

TYPED_TEST(DirectionSearchOf, AFunctionComputedInFloatEndsNearItsMinimumInsteadOfLooping) {
  using T = typename TypeParam::Element;
  TypeParam method(std::vector<T>(30, T{-3}));
  const Outcome outcome = Minimize<T>(method, Rounded<T>, -1, 2000);
  EXPECT_TRUE(outcome.failed);
  EXPECT_LT(outcome.evaluations, 200);
  EXPECT_LT(LargestDistance(method.point(), 1), 1e-2);
  EXPECT_NE(method.failure().find("no lower point"), std::string_view::npos);
}

// ---- In double
// -----------------------------------------------------------------------------------

template <class Method>
class DirectionSearchInDouble : public testing::Test {};
using MethodsInDouble =
    testing::Types<LbfgsOf<double, 20>, LbfgsOf<double, 1>, ConjugateGradientOf<double>>;
TYPED_TEST_SUITE(DirectionSearchInDouble, MethodsInDouble);

// The step of an iteration is the difference of its ends, so the conditions can be checked without
// knowing the direction.
TYPED_TEST(DirectionSearchInDouble, StrongWolfeHoldsAtEveryAcceptedPoint) {
  const TestFunction<double> functions[] = {Rosenbrock<double>, Quadratic<double>(1e5)};
  for (const TestFunction<double>& function : functions) {
    TypeParam method(RosenbrockStart<double>(20));
    std::vector<double> point, gradient;
    double cost = 0;
    const auto check = [&] {
      if (!point.empty()) {
        double slope_before = 0, slope_after = 0;
        for (size_t i = 0; i < point.size(); ++i) {
          slope_before += gradient[i] * (method.point()[i] - point[i]);
          slope_after += method.gradient()[i] * (method.point()[i] - point[i]);
        }
        EXPECT_LT(slope_before, 0);
        EXPECT_LE(method.cost(), cost + 1e-4 * slope_before * (1 - 1e-9));
        EXPECT_LE(std::abs(slope_after),
                  TypeParam::kMostSlopeLeft * std::abs(slope_before) * (1 + 1e-9));
      }
      point = Copy(method.point());
      gradient = Copy(method.gradient());
      cost = method.cost();
    };
    EXPECT_FALSE(Minimize<double>(method, function, 1e-5, 6000, check).failed);
  }
}

TYPED_TEST(DirectionSearchInDouble, AnAcceptedPointIsTheTrialPointJustEvaluated) {
  TypeParam method(RosenbrockStart<double>(2));
  std::vector<double> gradient(2);
  for (int i = 0; i < 40; ++i) {
    const std::vector<double> evaluated = Copy(method.trial());
    const double cost = Rosenbrock<double>(method.trial(), gradient);
    if (method.Tell(cost, gradient) != Step::kAccepted) continue;
    EXPECT_EQ(evaluated, Copy(method.point()));
    EXPECT_EQ(gradient, Copy(method.gradient()));
    EXPECT_EQ(cost, method.cost());
  }
}

TYPED_TEST(DirectionSearchInDouble, AGradientThatVanishesAtTheStartFailsWithTheReason) {
  TypeParam method({1, 1});
  const Outcome outcome = Minimize<double>(method, Rosenbrock<double>, -1);
  EXPECT_TRUE(outcome.failed);
  EXPECT_EQ(outcome.evaluations, 1);
  EXPECT_NE(method.failure().find("gradient vanishes"), std::string_view::npos);
  EXPECT_EQ(method.point()[0], 1);
}

TYPED_TEST(DirectionSearchInDouble, AStartThatIsNotFiniteFailsWithTheReason) {
  const std::vector<double> sound{1, 1}, infinite{1, std::numeric_limits<double>::infinity()};
  TypeParam by_cost({1, 1});
  EXPECT_EQ(by_cost.Tell(std::nan(""), sound), Step::kFailed);
  EXPECT_NE(by_cost.failure().find("not finite"), std::string_view::npos);
  TypeParam by_gradient({1, 1});
  EXPECT_EQ(by_gradient.Tell(1, infinite), Step::kFailed);
  EXPECT_NE(by_gradient.failure().find("not finite"), std::string_view::npos);
}

TYPED_TEST(DirectionSearchInDouble, ReachesTheExactMinimumAndThenFailsWithoutMoving) {
  TypeParam method({8});
  const Outcome outcome = Minimize<double>(method, Quadratic<double>(1), -1, 100);
  EXPECT_TRUE(outcome.failed);
  EXPECT_EQ(method.point()[0], 0);
  EXPECT_FALSE(method.failure().empty());
  const std::vector<double> gradient{0};
  EXPECT_EQ(method.Tell(0, gradient), Step::kFailed);
}

TYPED_TEST(DirectionSearchInDouble, WithoutAFiniteValueAnywhereElseItStaysAtTheStart) {
  TypeParam method({3, 4});
  const std::vector<double> gradient{1, 1};
  ASSERT_EQ(method.Tell(5, gradient), Step::kAccepted);
  Step step = Step::kSearching;
  for (int i = 0; i < 100 && step == Step::kSearching; ++i) step = method.Tell(INFINITY, gradient);
  EXPECT_EQ(step, Step::kFailed);
  EXPECT_EQ(Copy(method.point()), (std::vector<double>{3, 4}));
  EXPECT_EQ(method.cost(), 5);
}

TYPED_TEST(DirectionSearchInDouble, AGradientOfTheWrongSignFailsAtTheStart) {
  const TestFunction<double> wrong = [](std::span<const double> x, std::span<double> gradient) {
    const double cost = Rosenbrock<double>(x, gradient);
    for (double& g : gradient) g = -g;
    return cost;
  };
  TypeParam method(RosenbrockStart<double>(4));
  const Outcome outcome = Minimize<double>(method, wrong, -1, 1000);
  EXPECT_TRUE(outcome.failed);
  EXPECT_EQ(outcome.iterations, 0);
  EXPECT_LT(outcome.evaluations, 50);
}

}  // namespace
}  // namespace rhohat
