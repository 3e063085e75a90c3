// Update rules against recurrences written out in double.
#include "optimize/update_rule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "rhohat/error.h"
#include "tests/support/state_copy.h"

namespace rhohat {
namespace {

constexpr size_t kParameters = 2500;  // more than a stretch of the kernels, and a tail
constexpr int kSteps = 40;

double Start(size_t i) { return std::sin(static_cast<double>(i)); }

// Of step t: noise around a slope, so that signs change, with some parameters at rest.
double Gradient(size_t i, int t) {
  if (i % 97 == 0) return 0;
  return 0.3 * std::cos(static_cast<double>(i)) + std::sin(static_cast<double>(i * 31 + 17) * t);
}

double RateOf(int t) { return 0.01 / t; }

template <class T>
std::vector<T> GradientAt(int t) {
  std::vector<T> gradient(kParameters);
  for (size_t i = 0; i < kParameters; ++i) gradient[i] = static_cast<T>(Gradient(i, t));
  return gradient;
}

template <class T>
std::vector<T> StartingPoint() {
  std::vector<T> point(kParameters);
  for (size_t i = 0; i < kParameters; ++i) point[i] = static_cast<T>(Start(i));
  return point;
}

// Steps 1 to kSteps in ranges of `range` parameters.
template <class T>
std::vector<T> Run(UpdateRule<T>& rule, size_t range, int first = 1, std::vector<T> point = {}) {
  if (point.empty()) point = StartingPoint<T>();
  for (int t = first; t <= kSteps; ++t) {
    const std::vector<T> gradient = GradientAt<T>(t);
    rule.BeginStep(RateOf(t));
    for (size_t begin = 0; begin < kParameters; begin += range) {
      const size_t count = std::min(range, kParameters - begin);
      rule.Update(begin, std::span(gradient).subspan(begin, count),
                  std::span(point).subspan(begin, count));
    }
  }
  return point;
}

template <class T>
class UpdateRuleOf : public testing::Test {
 protected:
  static constexpr double kTolerance = sizeof(T) == 4 ? 2e-6 : 1e-14;

  void ExpectPoint(const std::vector<T>& point, const std::vector<double>& expected) {
    for (size_t i = 0; i < kParameters; ++i) {
      ASSERT_NEAR(static_cast<double>(point[i]), expected[i], kTolerance) << i;
    }
  }
};
using Elements = testing::Types<float, double>;
TYPED_TEST_SUITE(UpdateRuleOf, Elements);

TYPED_TEST(UpdateRuleOf, SgdFollowsTheHeavyBall) {
  std::vector<double> expected(kParameters);
  for (size_t i = 0; i < kParameters; ++i) {
    double x = Start(i);
    double velocity = 0;
    for (int t = 1; t <= kSteps; ++t) {
      velocity = 0.9 * velocity - RateOf(t) * Gradient(i, t);
      x += velocity;
    }
    expected[i] = x;
  }
  Sgd<TypeParam> sgd(kParameters, 0.9);
  this->ExpectPoint(Run<TypeParam>(sgd, kParameters), expected);
}

// Algorithm 1 of the paper, word for word.
TYPED_TEST(UpdateRuleOf, AdamFollowsItsAlgorithm) {
  std::vector<double> expected(kParameters);
  for (size_t i = 0; i < kParameters; ++i) {
    double x = Start(i);
    double m = 0;
    double v = 0;
    for (int t = 1; t <= kSteps; ++t) {
      const double g = Gradient(i, t);
      m = 0.9 * m + (1 - 0.9) * g;
      v = 0.999 * v + (1 - 0.999) * g * g;
      const double m_hat = m / (1 - std::pow(0.9, t));
      const double v_hat = v / (1 - std::pow(0.999, t));
      x -= RateOf(t) * m_hat / (std::sqrt(v_hat) + 1e-8);
    }
    expected[i] = x;
  }
  Adam<TypeParam> adam(kParameters);
  this->ExpectPoint(Run<TypeParam>(adam, kParameters), expected);
}

TYPED_TEST(UpdateRuleOf, RangesOfAnySizeGiveTheSameBits) {
  using T = TypeParam;
  Adam<T> whole_adam(kParameters);
  Sgd<T> whole_sgd(kParameters, 0.5);
  const std::vector<T> by_adam = Run<T>(whole_adam, kParameters);
  const std::vector<T> by_sgd = Run<T>(whole_sgd, kParameters);
  for (const size_t range : {7, 64, 1500}) {
    Adam<T> adam(kParameters);
    Sgd<T> sgd(kParameters, 0.5);
    EXPECT_EQ(Run<T>(adam, range), by_adam);
    EXPECT_EQ(Run<T>(sgd, range), by_sgd);
  }
}

// Saved after every step, and loaded into a rule that is new.
TYPED_TEST(UpdateRuleOf, StateIsAllThatIsNeededToGoOn) {
  using T = TypeParam;
  const auto expect = [](const auto& make) {
    auto whole = make();
    const std::vector<T> expected = Run<T>(whole, kParameters);
    auto rule = make();
    std::vector<T> point = StartingPoint<T>();
    for (int t = 0; t <= kSteps; ++t) {
      StateCopy saved;
      rule.Visit(saved);
      saved.Load();
      auto rest = make();
      rest.Visit(saved);
      EXPECT_EQ(rest.steps(), t);
      EXPECT_EQ(Run<T>(rest, kParameters, t + 1, point), expected) << t;
      rule.BeginStep(RateOf(t + 1));
      rule.Update(0, GradientAt<T>(t + 1), point);
    }
  };
  expect([] { return Adam<T>(kParameters); });
  expect([] { return Sgd<T>(kParameters, 0.9); });
}

TYPED_TEST(UpdateRuleOf, StateThatCannotBeIsRefused) {
  using T = TypeParam;
  Adam<T> adam(kParameters);
  StateCopy of_adam;
  adam.Visit(of_adam);
  of_adam.Load();
  Adam<T> shorter(kParameters - 1);
  EXPECT_THROW(shorter.Visit(of_adam), Error);
  Sgd<T> sgd(kParameters, 0.9);
  EXPECT_THROW(sgd.Visit(of_adam), Error);

  StateCopy negative;
  int64_t steps = -1;
  negative.Number("steps", steps);
  negative.Load();
  EXPECT_THROW(adam.Visit(negative), Error);
}

TYPED_TEST(UpdateRuleOf, UpdateTellsTheGradientsSquareSum) {
  using T = TypeParam;
  const std::vector<T> gradient = GradientAt<T>(3);
  double expected = 0;
  for (const T g : gradient) expected += static_cast<double>(g) * static_cast<double>(g);
  Adam<T> adam(kParameters);
  Sgd<T> sgd(kParameters, 0);
  for (UpdateRule<T>* rule :
       {static_cast<UpdateRule<T>*>(&adam), static_cast<UpdateRule<T>*>(&sgd)}) {
    std::vector<T> point = StartingPoint<T>();
    rule->BeginStep(0.1);
    EXPECT_NEAR(rule->Update(0, gradient, point), expected, 1e-12 * expected);
  }
}

TEST(UpdateRuleTest, OptionsOutOfRangeAreRefused) {
  EXPECT_THROW(Sgd<float>(1, 1.0), Error);
  EXPECT_THROW(Sgd<float>(1, -0.1), Error);
  EXPECT_THROW(Adam<float>(1, {.mean_decay = 1}), Error);
  EXPECT_THROW(Adam<float>(1, {.square_decay = std::nan("")}), Error);
  EXPECT_THROW(Adam<float>(1, {.epsilon = 0}), Error);
}

}  // namespace
}  // namespace rhohat
