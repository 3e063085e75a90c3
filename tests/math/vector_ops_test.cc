#include "math/vector_ops.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

namespace rhohat {
namespace {

template <class T>
class VectorOps : public testing::Test {
 protected:
  static std::vector<T> Random(size_t size, unsigned seed) {
    std::mt19937 generator(seed);
    std::vector<T> values(size);
    for (T& value : values) value = static_cast<T>(static_cast<double>(generator()) / 0x1p31 - 1);
    return values;
  }

  // Element i belongs to partial sum i mod 16; these are added as a tree of halves.
  static double DotInStatedOrder(const std::vector<T>& a, const std::vector<T>& b) {
    std::vector<double> sums(16);
    for (size_t i = 0; i < a.size(); ++i) sums[i % 16] += static_cast<double>(a[i]) * b[i];
    for (size_t half = 8; half > 0; half /= 2) {
      for (size_t j = 0; j < half; ++j) sums[j] += sums[j + half];
    }
    return sums[0];
  }
};

using Elements = testing::Types<float, double>;
TYPED_TEST_SUITE(VectorOps, Elements);

constexpr size_t kSizes[] = {0, 1, 2, 3, 7, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 1000, 4099};

TYPED_TEST(VectorOps, DotHasTheStatedOrderToTheBit) {
  for (const size_t size : kSizes) {
    const auto a = this->Random(size, 1);
    const auto b = this->Random(size, 2);
    EXPECT_EQ(Dot<TypeParam>(a, b), this->DotInStatedOrder(a, b)) << size;
  }
}

TYPED_TEST(VectorOps, DotDoesNotDependOnAlignment) {
  const auto a = this->Random(333, 3);
  const auto b = this->Random(333, 4);
  const double expected = Dot<TypeParam>(a, b);
  for (size_t shift = 1; shift < 9; ++shift) {
    std::vector<TypeParam> moved_a(shift), moved_b(2 * shift);
    moved_a.insert(moved_a.end(), a.begin(), a.end());
    moved_b.insert(moved_b.end(), b.begin(), b.end());
    EXPECT_EQ(
        Dot<TypeParam>(std::span(moved_a).subspan(shift), std::span(moved_b).subspan(2 * shift)),
        expected);
  }
}

TYPED_TEST(VectorOps, DotIsExactForSmallIntegers) {
  std::vector<TypeParam> a(1001);
  std::iota(a.begin(), a.end(), TypeParam{-500});
  EXPECT_EQ(Dot<TypeParam>(a, a), 2 * 500.0 * 501 * 1001 / 6);
}

TYPED_TEST(VectorOps, SumsKeepWhatASumInFloatWouldLose) {
  // 1 followed by a million values that each vanish beside it in float.
  std::vector<TypeParam> a(1000001, static_cast<TypeParam>(0x1p-30));
  a[0] = 1;
  const std::vector<TypeParam> ones(a.size(), 1);
  EXPECT_EQ(Dot<TypeParam>(a, ones), 1 + 1e6 * 0x1p-30);
}

TEST(VectorOpsOfFloats, ProductsNeitherOverflowNorVanish) {
  const std::vector<float> large(3, 1e30F);
  const std::vector<float> small(3, 1e-30F);
  EXPECT_NEAR(Dot<float>(large, large), 3e60, 1e54);
  EXPECT_NEAR(Norm<float>(small), std::sqrt(3) * 1e-30, 1e-36);
}

TYPED_TEST(VectorOps, NormIsTheRootOfTheSumOfSquares) {
  EXPECT_EQ(Norm<TypeParam>(std::vector<TypeParam>{3, -4}), 5);
  EXPECT_EQ(Norm<TypeParam>(std::vector<TypeParam>{}), 0);
}

TYPED_TEST(VectorOps, NanAndInfinityComeThrough) {
  using Limits = std::numeric_limits<TypeParam>;
  for (const size_t size : {1, 5, 16, 40}) {
    for (size_t i = 0; i < size; ++i) {
      std::vector<TypeParam> a(size, 1);
      const std::vector<TypeParam> ones(size, 1);
      a[i] = Limits::quiet_NaN();
      EXPECT_TRUE(std::isnan(Dot<TypeParam>(a, ones)));
      EXPECT_TRUE(std::isnan(Norm<TypeParam>(a)));
      a[i] = -Limits::infinity();
      EXPECT_EQ(Dot<TypeParam>(a, ones), -std::numeric_limits<double>::infinity());
      std::vector<TypeParam> y(size, 2);
      AddScaled<TypeParam>(0, a, y);
      EXPECT_TRUE(std::isnan(y[i]));
    }
  }
}

TYPED_TEST(VectorOps, AddScaledRoundsOnce) {
  for (const size_t size : kSizes) {
    const auto x = this->Random(size, 5);
    const auto before = this->Random(size, 6);
    auto y = before;
    AddScaled<TypeParam>(-1.7, x, y);
    for (size_t i = 0; i < size; ++i) {
      EXPECT_EQ(y[i], static_cast<TypeParam>(before[i] + -1.7 * static_cast<double>(x[i])));
    }
  }
}

TYPED_TEST(VectorOps, SumScaledMayOverwriteEitherOperand) {
  for (const size_t size : kSizes) {
    const auto x = this->Random(size, 7);
    const auto y = this->Random(size, 8);
    std::vector<TypeParam> apart(size);
    SumScaled<TypeParam>(x, 0.3, y, apart);
    for (size_t i = 0; i < size; ++i) {
      EXPECT_EQ(apart[i], static_cast<TypeParam>(x[i] + 0.3 * static_cast<double>(y[i])));
    }
    auto over_x = x;
    SumScaled<TypeParam>(over_x, 0.3, y, over_x);
    EXPECT_EQ(over_x, apart);
    auto over_y = y;
    SumScaled<TypeParam>(x, 0.3, over_y, over_y);
    EXPECT_EQ(over_y, apart);
  }
}

TYPED_TEST(VectorOps, ScaleMultipliesEveryElement) {
  for (const size_t size : kSizes) {
    const auto before = this->Random(size, 9);
    auto x = before;
    Scale<TypeParam>(-2.5, x);
    for (size_t i = 0; i < size; ++i) {
      EXPECT_EQ(x[i], static_cast<TypeParam>(-2.5 * static_cast<double>(before[i])));
    }
  }
}

}  // namespace
}  // namespace rhohat
