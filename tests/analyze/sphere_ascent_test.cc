#include "analyze/sphere_ascent.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "math/vector_ops.h"

namespace rhohat {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::Pointwise;

// One function for all points, from its value and gradient at one.
template <class ValueAndGradient>
PointFunctions Each(const ValueAndGradient& function) {
  return [=](std::span<const int64_t> which, MatrixView<const double> points,
             std::span<double> values, MatrixView<double> gradients) {
    EXPECT_EQ(static_cast<int64_t>(which.size()), points.rows);
    for (int64_t i = 0; i < points.rows; ++i) {
      values[static_cast<size_t>(i)] = function(points.row(i), gradients.row(i));
    }
  };
}

std::vector<SphereAscentResult> Ascend(const PointFunctions& functions, int64_t rows,
                                       std::vector<double>& points) {
  const std::vector<int64_t> which(static_cast<size_t>(rows));
  const auto columns = static_cast<int64_t>(points.size()) / rows;
  return AscendOnSphere(functions, which, {}, {points.data(), rows, columns});
}

TEST(SphereAscentTest, ALinearFunctionIsLargestAlongItsGradientFromAnywhere) {
  const auto linear = Each([](const double* x, double* gradient) {
    gradient[0] = 3;
    gradient[1] = -4;
    return 3 * x[0] - 4 * x[1];
  });
  // Across, nearly opposite, and already there.
  std::vector<double> points = {0.8, 0.6, -1.2, 1.6001, 0.06, -0.08};
  const auto results = Ascend(linear, 3, points);
  const double second = std::hypot(1.2, 1.6001);
  EXPECT_THAT(points,
              Pointwise(DoubleNear(1e-6), {0.6, -0.8, 0.6 * second, -0.8 * second, 0.06, -0.08}));
  EXPECT_THAT(results[0].value, DoubleNear(5, 1e-11));
}

// ½ xᵀ A x with A = diag(1, 2, 5, −30): the maximum on a sphere is the third axis.
TEST(SphereAscentTest, AQuadraticFormIsLargestAlongItsFirstEigenvector) {
  const auto quadratic = Each([](const double* x, double* gradient) {
    constexpr double kEigenvalues[] = {1, 2, 5, -30};
    double value = 0;
    for (int j = 0; j < 4; ++j) {
      gradient[j] = kEigenvalues[j] * x[j];
      value += x[j] * gradient[j] / 2;
    }
    return value;
  });
  std::vector<double> points = {1, 1, -0.01, 1};
  const double norm = Norm<double>(points);
  Ascend(quadratic, 1, points);
  EXPECT_THAT(points, Pointwise(DoubleNear(1e-5), {0.0, 0.0, -norm, 0.0}));
}

// On the circle at angle φ: sin 5φ + φ-independent terms. Each start goes up its own hill.
TEST(SphereAscentTest, EachPointGoesUpToTheNextMaximumAndNeverDown) {
  const auto hills = Each([](const double* x, double* gradient) {
    const double angle = std::atan2(x[1], x[0]);
    const double squared = x[0] * x[0] + x[1] * x[1];
    gradient[0] = -5 * std::cos(5 * angle) * x[1] / squared;
    gradient[1] = 5 * std::cos(5 * angle) * x[0] / squared;
    return std::sin(5 * angle);
  });
  std::vector<double> points;
  for (int i = 0; i < 12; ++i) {
    points.push_back(2 * std::cos(0.5 * i));
    points.push_back(2 * std::sin(0.5 * i));
  }
  const std::vector<double> before = points;
  const auto results = Ascend(hills, 12, points);
  for (size_t i = 0; i < 12; ++i) {
    EXPECT_THAT(std::hypot(points[2 * i], points[2 * i + 1]), DoubleNear(2, 1e-14));
    EXPECT_THAT(results[i].value, DoubleNear(1, 1e-10));
    EXPECT_GE(results[i].value, std::sin(5 * std::atan2(before[2 * i + 1], before[2 * i])));
  }
}

TEST(SphereAscentTest, PointsWithNowhereToGoStayAndSaySo) {
  const auto flat = Each([](const double*, double* gradient) {
    gradient[0] = gradient[1] = 0;
    return 7;
  });
  std::vector<double> points = {0.6, 0.8};
  const auto results = Ascend(flat, 1, points);
  EXPECT_FALSE(results[0].has_slope);
  EXPECT_EQ(results[0].value, 7);
  EXPECT_THAT(points, ElementsAre(0.6, 0.8));
}

TEST(SphereAscentTest, EndsOnFunctionsThatAreNotFiniteOrLieAboutTheirGradient) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto broken = Each([&](const double*, double* gradient) {
    gradient[0] = gradient[1] = nan;
    return nan;
  });
  const auto liar = Each([](const double* x, double* gradient) {
    gradient[0] = 0;
    gradient[1] = -1;
    return x[1];
  });
  std::vector<double> points = {1, 0};
  Ascend(broken, 1, points);
  EXPECT_THAT(points, ElementsAre(1, 0));
  Ascend(liar, 1, points);
  EXPECT_THAT(points, ElementsAre(1, 0));
}

TEST(SphereAscentTest, ThePointZeroStays) {
  const auto linear = Each([](const double* x, double* gradient) {
    gradient[0] = 1;
    return x[0];
  });
  std::vector<double> points = {0};
  Ascend(linear, 1, points);
  EXPECT_THAT(points, ElementsAre(0));
}

TEST(ScaleToNormTest, ScalesNumbersOfAnySize) {
  for (const double size : {1.0, 1e300, 1e-300, 0x1p-1070}) {
    std::vector<double> point = {3 * size, -4 * size};
    ScaleToNorm(10, point);
    EXPECT_THAT(point, Pointwise(DoubleNear(1e-14), {6.0, -8.0})) << size;
  }
  std::vector<double> zero = {0, 0};
  ScaleToNorm(10, zero);
  EXPECT_THAT(zero, ElementsAre(0, 0));
}

}  // namespace
}  // namespace rhohat
