#include "optimize/gradient_descent.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "rhohat/error.h"
#include "tests/optimize/test_functions.h"

namespace rhohat {
namespace {

template <class T>
class GradientDescentOf : public testing::Test {};
using Elements = testing::Types<float, double>;
TYPED_TEST_SUITE(GradientDescentOf, Elements);

TYPED_TEST(GradientDescentOf, FollowsTheHeavyBallRecurrence) {
  const std::vector<TypeParam> start{4};
  GradientDescent<TypeParam> descent(start, {0.125, 0.5});
  double x = 4, velocity = 0;
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(descent.trial()[0], x);
    const std::vector<TypeParam> gradient{static_cast<TypeParam>(x)};
    EXPECT_EQ(descent.Tell(x * x / 2, gradient), Step::kAccepted);
    EXPECT_EQ(descent.point()[0], x);
    EXPECT_EQ(descent.cost(), x * x / 2);
    EXPECT_EQ(descent.gradient()[0], x);
    velocity = 0.5 * velocity - 0.125 * x;
    x += velocity;
  }
}

TYPED_TEST(GradientDescentOf, MinimisesAQuadratic) {
  const std::vector<TypeParam> start(5, TypeParam{-2});
  for (const double momentum : {0.0, 0.9}) {
    GradientDescent<TypeParam> descent(start, {0.1, momentum});
    const Outcome outcome = Minimize<TypeParam>(descent, Quadratic<TypeParam>(10), 1e-4);
    EXPECT_FALSE(outcome.failed);
    EXPECT_EQ(outcome.evaluations, outcome.iterations + 1);
    for (size_t i = 0; i < 5; ++i) EXPECT_NEAR(descent.point()[i], static_cast<double>(i), 1e-3);
  }
}

TYPED_TEST(GradientDescentOf, DivergenceKeepsAFinitePointAndSuggestsASmallerRate) {
  GradientDescent<TypeParam> descent(RosenbrockStart<TypeParam>(4), {1.0, 0.9});
  const Outcome outcome = Minimize<TypeParam>(descent, Rosenbrock<TypeParam>, 1e-4);
  EXPECT_TRUE(outcome.failed);
  EXPECT_NE(descent.failure().find("no longer finite"), std::string_view::npos);
  EXPECT_TRUE(std::isfinite(descent.cost()));
  for (const TypeParam x : descent.point()) EXPECT_TRUE(std::isfinite(x));
  EXPECT_EQ(descent.Tell(0, std::vector<TypeParam>(4)), Step::kFailed);
}

TEST(GradientDescent, AStartWithoutAGradientFailsWithTheReason) {
  const std::vector<double> start{1, 1};
  GradientDescent<double> at_minimum(start, {});
  EXPECT_EQ(at_minimum.Tell(3, std::vector<double>{0, 0}), Step::kFailed);
  EXPECT_NE(at_minimum.failure().find("vanishes"), std::string_view::npos);
  GradientDescent<double> outside(start, {});
  EXPECT_EQ(outside.Tell(std::nan(""), std::vector<double>{1, 1}), Step::kFailed);
  EXPECT_NE(outside.failure().find("starting point"), std::string_view::npos);
}

TEST(GradientDescent, OptionsOutOfRangeAreRefused) {
  const std::vector<float> start{1};
  const double nan = std::nan("");
  for (const double rate : {0.0, -1.0, nan}) {
    EXPECT_THROW(GradientDescent<float>(start, {rate, 0.5}), Error);
  }
  for (const double momentum : {-0.1, 1.0, nan}) {
    EXPECT_THROW(GradientDescent<float>(start, {0.1, momentum}), Error);
  }
}

TEST(GradientDescent, MemoryIsFourVectors) {
  EXPECT_EQ(GradientDescent<float>::MemoryBytes(1000), 16000U);
  EXPECT_EQ(GradientDescent<double>::MemoryBytes(1000), 32000U);
  EXPECT_THROW(GradientDescent<double>::MemoryBytes(size_t{1} << 60), Error);
}

}  // namespace
}  // namespace rhohat
