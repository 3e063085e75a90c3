#include "optimize/conjugate_gradient.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <vector>

#include "rhohat/error.h"
#include "tests/optimize/test_functions.h"

namespace rhohat {
namespace {

using Vector = std::vector<double>;

template <class T>
class ConjugateGradientOf : public testing::Test {};
using Elements = testing::Types<float, double>;
TYPED_TEST_SUITE(ConjugateGradientOf, Elements);

template <class T>
ConjugateGradient<T> Make(const std::vector<T>& start) {
  return ConjugateGradient<T>(start);
}

double Product(const Vector& a, const Vector& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

// x + factor · y.
Vector Sum(Vector x, double factor, const Vector& y) {
  for (size_t i = 0; i < x.size(); ++i) x[i] += factor * y[i];
  return x;
}

TYPED_TEST(ConjugateGradientOf, RosenbrockInTwoVariablesAndInAHundred) {
  for (const size_t dimension : {2, 100}) {
    auto cg = Make(RosenbrockStart<TypeParam>(dimension));
    const Outcome outcome = Minimize<TypeParam>(cg, Rosenbrock<TypeParam>, 3 * kReach<TypeParam>);
    EXPECT_FALSE(outcome.failed) << cg.failure();
    EXPECT_LT(outcome.evaluations, 120);
    EXPECT_LT(LargestDistance(cg.point(), 1), 30 * kReach<TypeParam>);
  }
}

// With exact searches it would take as many iterations as there are curvatures.
TYPED_TEST(ConjugateGradientOf, AQuadraticWithThreeCurvaturesTakesFewIterations) {
  const TestFunction<TypeParam> three = [](std::span<const TypeParam> x,
                                           std::span<TypeParam> gradient) {
    constexpr double kCurvatures[] = {1, 10, 100};
    double sum = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      const double slope = kCurvatures[i % 3] * (x[i] - 1.0);
      sum += 0.5 * slope * (x[i] - 1.0);
      gradient[i] = static_cast<TypeParam>(slope);
    }
    return sum;
  };
  auto cg = Make(std::vector<TypeParam>(300, TypeParam{5}));
  const Outcome outcome = Minimize<TypeParam>(cg, three, kReach<TypeParam>);
  EXPECT_FALSE(outcome.failed) << cg.failure();
  EXPECT_LT(outcome.iterations, 20);
  EXPECT_LT(LargestDistance(cg.point(), 1), kReach<TypeParam>);
}

TYPED_TEST(ConjugateGradientOf, QuadraticsInManyVariables) {
  auto cg = Make(std::vector<TypeParam>(1000, TypeParam{100}));
  const Outcome outcome =
      Minimize<TypeParam>(cg, Quadratic<TypeParam>(100), 100 * kReach<TypeParam>);
  EXPECT_FALSE(outcome.failed) << cg.failure();
  EXPECT_LT(outcome.evaluations, 300);
}

TYPED_TEST(ConjugateGradientOf, IllConditionedQuadratic) {
  const double condition = std::is_same_v<TypeParam, float> ? 1e3 : 1e5;
  auto cg = Make(std::vector<TypeParam>(50, TypeParam{100}));
  const Outcome outcome =
      Minimize<TypeParam>(cg, Quadratic<TypeParam>(condition), 0.1 * kReach<TypeParam> * condition);
  EXPECT_FALSE(outcome.failed) << cg.failure();
  EXPECT_LT(outcome.evaluations, 6000);
}

// A scale of the function, or of its variables, costs a few evaluations at the first step and
// nothing later.
TEST(ConjugateGradient, FunctionsOfAnyScaleTakeAboutTheSameEvaluations) {
  for (const double scale : {1e-6, 1.0, 1e6}) {
    const TestFunction<double> scaled = [=](std::span<const double> x, std::span<double> gradient) {
      const double cost = scale * Quadratic<double>(100)(x, gradient);
      for (double& g : gradient) g *= scale;
      return cost;
    };
    auto cg = Make(Vector(50, 100));
    const Outcome outcome = Minimize<double>(cg, scaled, scale * 1e-6);
    EXPECT_FALSE(outcome.failed) << cg.failure();
    EXPECT_LT(outcome.evaluations, 250);
  }
}

// The directions by their definition.
struct Reference {
  // Moves on to the next point's gradient.
  void Turn(const Vector& next) {
    const double square = Product(next, next);
    const double overlap = Product(next, gradient);
    double beta = std::max(0.0, (square - overlap) / Product(gradient, gradient));
    if (std::abs(overlap) >= 0.2 * square) beta = 0;
    ++(beta > 0 ? kept : restarts);
    direction = Sum(Sum(Vector(next.size()), beta, direction), -1, next);
    gradient = next;
  }

  Vector gradient, direction;
  int64_t restarts = 0;
  int64_t kept = 0;
};

// Both the direction and the first step along it are known from the first trial of an iteration.
TEST(ConjugateGradient, DirectionsAndFirstStepsAreThoseOfTheDefinition) {
  const TestFunction<double> functions[] = {Rosenbrock<double>, Quadratic<double>(1e3)};
  int64_t restarts = 0, kept = 0;
  for (const TestFunction<double>& function : functions) {
    auto cg = Make(RosenbrockStart<double>(20));
    Reference reference;
    Vector last_point;
    const auto check = [&] {
      const Vector point = Copy(cg.point()), gradient = Copy(cg.gradient());
      const Vector move = Sum(Copy(cg.trial()), -1, point);
      if (last_point.empty()) {
        reference.gradient = gradient;
        reference.direction = Sum(Vector(20), -1, gradient);
        EXPECT_NEAR(std::sqrt(Product(move, move)), 1, 1e-12);
      } else {
        const Vector taken = Sum(point, -1, last_point);
        const double last_slope = Product(reference.gradient, reference.direction);
        const double last_step =
            Product(taken, reference.direction) / Product(reference.direction, reference.direction);
        reference.Turn(gradient);
        const double slope = Product(gradient, reference.direction);
        EXPECT_LE(slope, -0.86 * Product(gradient, gradient));
        const double step = last_step * std::min(10.0, last_slope / slope);
        const Vector error = Sum(move, -step, reference.direction);
        EXPECT_LT(std::sqrt(Product(error, error)), 1e-6 * std::sqrt(Product(move, move)));
      }
      last_point = point;
    };
    EXPECT_FALSE(Minimize<double>(cg, function, 1e-3, 2000, check).failed);
    restarts += reference.restarts;
    kept += reference.kept;
  }
  EXPECT_GT(restarts, 5);
  EXPECT_GT(kept, 30);
}

TEST(ConjugateGradient, RestartsWhereGradientsOverlapByAFifthOrMore) {
  for (const double overlap : {-0.21, -0.19, 0.19, 0.21}) {
    auto cg = Make(Vector{0, 0});
    cg.Tell(1, Vector{1, 0});
    // gᵀ(1, 0) = 0.05, and ‖g‖² is what gives it that share.
    const double along = std::copysign(0.05, overlap);
    const double square = along / overlap;
    const Vector gradient{along, std::sqrt(square - along * along)};
    ASSERT_EQ(cg.Tell(0, gradient), Step::kAccepted);
    const double beta = std::abs(overlap) < 0.2 ? square - along : 0;
    const Vector direction{-gradient[0] - beta, -gradient[1]};
    const Vector move = Sum(Copy(cg.trial()), -1, Copy(cg.point()));
    EXPECT_NEAR(move[0] / move[1], direction[0] / direction[1], 1e-12);
  }
}

// |x| with a gradient that on one side has a large second component. No step satisfies the
// curvature condition, and from the far side the Polak-Ribiere direction climbs.
TEST(ConjugateGradient, ADirectionThatWouldClimbIsReplacedBySteepestDescent) {
  const TestFunction<double> kink = [](std::span<const double> x, std::span<double> gradient) {
    gradient[0] = x[0] > 0 ? 1 : -1;
    gradient[1] = x[0] > 0 ? 0 : 10;
    return std::abs(x[0]);
  };
  bool crossed = false;
  for (int hundredths = 50; hundredths < 100; hundredths += 2) {
    auto cg = Make(Vector{hundredths / 100.0, 0});
    Vector gradient(2);
    cg.Tell(kink(cg.trial(), gradient), gradient);
    Step step = Step::kSearching;
    while (step == Step::kSearching) {
      step = cg.Tell(kink(cg.trial(), gradient), gradient);
    }
    ASSERT_EQ(step, Step::kAccepted);
    if (cg.gradient()[0] > 0) continue;
    crossed = true;
    // β = 102, and −‖g‖² + β gᵀd = −101 + 102.
    const Vector move = Sum(Copy(cg.trial()), -1, Copy(cg.point()));
    EXPECT_NEAR(move[1], 10 * -move[0], 1e-9);
    EXPECT_GT(move[0], 0);
    EXPECT_NEAR(std::hypot(move[0], move[1]), 1, 1e-9);
  }
  EXPECT_TRUE(crossed);
}

TEST(ConjugateGradient, AfterAFailedSearchItTriesSteepestDescentOnceAndThenFails) {
  auto cg = Make(RosenbrockStart<double>(4));
  Vector gradient(4);
  for (int accepted = 0; accepted < 4;) {
    const double cost = Rosenbrock<double>(cg.trial(), gradient);
    if (cg.Tell(cost, gradient) == Step::kAccepted) ++accepted;
  }
  const Vector point = Copy(cg.point()), steepest = Copy(cg.gradient());
  const auto angle = [&] {
    const Vector move = Sum(Copy(cg.trial()), -1, point);
    return -Product(move, steepest) / std::sqrt(Product(move, move) * Product(steepest, steepest));
  };
  EXPECT_LT(angle(), 1 - 1e-6);
  // Nothing is lower anywhere from now on.
  Step step = Step::kSearching;
  int evaluations = 0, along_steepest = 0;
  while (step == Step::kSearching && evaluations < 200) {
    if (angle() > 1 - 1e-9) ++along_steepest;
    Rosenbrock<double>(cg.trial(), gradient);
    step = cg.Tell(cg.cost() + 1, gradient);
    ++evaluations;
  }
  EXPECT_EQ(step, Step::kFailed);
  EXPECT_GT(along_steepest, 0);
  EXPECT_GT(evaluations, along_steepest);
  EXPECT_EQ(Copy(cg.point()), point);
  EXPECT_NE(cg.failure().find("no lower point"), std::string_view::npos);
  EXPECT_EQ(cg.Tell(0, gradient), Step::kFailed);
}

TEST(ConjugateGradient, MemoryIsFourVectors) {
  EXPECT_EQ(ConjugateGradient<float>::MemoryBytes(1000), 4U * 1000 * 4);
  EXPECT_EQ(ConjugateGradient<double>::MemoryBytes(7), 4U * 7 * 8);
  EXPECT_THROW(ConjugateGradient<double>::MemoryBytes(size_t{1} << 60), Error);
}

// Conjugacy to a direction of another function is worth nothing.
TEST(ConjugateGradient, BeginsAlongSteepestDescentWhereTheFunctionChanges) {
  ConjugateGradient<double> method(RosenbrockStart<double>(4));
  std::vector<double> gradient(4);
  for (int i = 0; i < 12; ++i) method.Tell(Rosenbrock<double>(method.trial(), gradient), gradient);
  method.ChangeFunction();
  method.Tell(Quadratic<double>(50)(method.trial(), gradient), gradient);
  const double step = (method.point()[0] - method.trial()[0]) / gradient[0];
  EXPECT_GT(step, 0);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(method.point()[i] - method.trial()[i], step * gradient[i], 1e-9);
  }
}

}  // namespace
}  // namespace rhohat
