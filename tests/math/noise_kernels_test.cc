// The noise kernels: the definition word by word, and that the noise looks like noise.
#include <array>
#include <numbers>

#include "tests/math/kernels_fixture.h"

namespace rhohat {
namespace {

template <class T>
class NoiseKernelsTest : public KernelsTest<T> {};

using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(NoiseKernelsTest, Types);

// Large in every field, so that a field cut short is seen.
constexpr NoiseKey kKey = {
    .seed = 0x0123456789ABCDEF, .epoch = 0xABCDEF, .row = 0x000000A5FEDCBA98};

constexpr int64_t kEntries = 100000;

// Whole-number thresholds: a word is changed if and only if it is below p · 2^32.
TYPED_TEST(NoiseKernelsTest, MaskAndSaltAndPepperMatchTheirTwinsExactlyAlsoInPlace) {
  using T = TypeParam;
  const Kernels<T>& naive = this->reference_;
  this->ForEachSize([&](const Kernels<T>& kernels, int64_t size) {
    const std::vector<T> x = Values<T>(size, 5, 1);
    for (const double p : {0.0, 1e-12, 0.1, 0.5, 1 - 0x1p-33, 1.0}) {
      std::vector<T> expected(x.size());
      std::vector<T> in_place = x;
      std::vector<T> apart(x.size());
      naive.mask(kKey, p, x.data(), expected.data(), size);
      kernels.mask(kKey, p, x.data(), apart.data(), size);
      kernels.mask(kKey, p, in_place.data(), in_place.data(), size);
      EXPECT_EQ(apart, expected) << p;
      EXPECT_EQ(in_place, expected) << p;
      in_place = x;
      naive.salt_and_pepper(kKey, p, T(-7), T(9), x.data(), expected.data(), size);
      kernels.salt_and_pepper(kKey, p, T(-7), T(9), x.data(), apart.data(), size);
      kernels.salt_and_pepper(kKey, p, T(-7), T(9), in_place.data(), in_place.data(), size);
      EXPECT_EQ(apart, expected) << p;
      EXPECT_EQ(in_place, expected) << p;
    }
  });
}

// The generator of base itself, with the counter as it is documented.
TYPED_TEST(NoiseKernelsTest, AMaskIsDecidedByTheWordsOfPhilox) {
  using T = TypeParam;
  constexpr int64_t kColumns = 203;
  this->ForEachSet([&](const Kernels<T>& kernels) {
    for (const uint64_t row : {uint64_t{0}, uint64_t{1}, kKey.row, ~uint64_t{0}}) {
      const NoiseKey key = {.seed = kKey.seed, .epoch = 5, .row = row};
      const std::vector<T> ones(kColumns, T(1));
      std::vector<T> out(kColumns);
      kernels.mask(key, 0.3, ones.data(), out.data(), kColumns);
      for (uint32_t column = 0; column < kColumns; ++column) {
        const std::array<uint32_t, 4> words =
            Philox4x32({static_cast<uint32_t>(row), column / 4, 10 + (5U << 8),
                        static_cast<uint32_t>(row >> 32)},
                       {0x89ABCDEF, 0x01234567});
        const bool masked = words[column % 4] < 1288490189;  // ⌈0.3 · 2^32⌉
        EXPECT_EQ(out[column], masked ? T(0) : T(1)) << "row " << row << " column " << column;
      }
    }
  });
}

TYPED_TEST(NoiseKernelsTest, GaussianMatchesItsTwin) {
  using T = TypeParam;
  constexpr double kMostError = std::is_same_v<T, float> ? 1e-6 : 2e-15;
  this->ForEachSize([&](const Kernels<T>& kernels, int64_t size) {
    for (uint64_t row = 0; row < 8; ++row) {
      const NoiseKey key = {.seed = kKey.seed, .epoch = kKey.epoch, .row = kKey.row + row};
      const std::vector<T> zeros(static_cast<size_t>(size), T(0));
      std::vector<T> expected(zeros.size());
      std::vector<T> out(zeros.size());
      std::vector<T> in_place(zeros.size(), T(0));
      this->reference_.add_gaussian(key, 1, zeros.data(), expected.data(), size);
      kernels.add_gaussian(key, 1, zeros.data(), out.data(), size);
      kernels.add_gaussian(key, 1, in_place.data(), in_place.data(), size);
      for (size_t j = 0; j < out.size(); ++j) EXPECT_NEAR(out[j], expected[j], kMostError);
      EXPECT_EQ(in_place, out);
    }
  });
}

TYPED_TEST(NoiseKernelsTest, GaussianIsAddedInProportionToItsDeviation) {
  using T = TypeParam;
  constexpr int64_t kCount = 301;
  const std::vector<T> x = Values<T>(kCount, 3, 2);
  const std::vector<T> zeros(kCount, T(0));
  this->ForEachSet([&](const Kernels<T>& kernels) {
    std::vector<T> deviates(kCount);
    std::vector<T> out(kCount);
    kernels.add_gaussian(kKey, 1, zeros.data(), deviates.data(), kCount);
    for (const double deviation : {0.0, 0.25, 10.0}) {
      kernels.add_gaussian(kKey, deviation, x.data(), out.data(), kCount);
      for (size_t j = 0; j < out.size(); ++j) {
        const double exact = x[j] + deviation * static_cast<double>(deviates[j]);
        EXPECT_NEAR(out[j], exact, 2 * TestFixture::kEpsilon * (3 + std::abs(exact)));
      }
    }
  });
}

TYPED_TEST(NoiseKernelsTest, NoiseLetsNanAndInfinityThroughWhereItDoesNotReplaceThem) {
  using T = TypeParam;
  this->ForEachSet([&](const Kernels<T>& kernels) {
    for (const T bad : {TestFixture::kNan, TestFixture::kInfinity}) {
      const std::vector<T> x(77, bad);
      std::vector<T> out(77);
      std::vector<T> expected(77);
      kernels.mask(kKey, 0.5, x.data(), out.data(), 77);
      this->reference_.mask(kKey, 0.5, x.data(), expected.data(), 77);
      EXPECT_EQ(MaxUlps(out, expected), 0);
      EXPECT_EQ(std::ranges::count(out, T(0)), std::ranges::count(expected, T(0)));
      kernels.add_gaussian(kKey, 1, x.data(), out.data(), 77);
      for (const T value : out) EXPECT_EQ(Ulps(value, bad), 0);
    }
  });
}

// Rows `first_row` on, of `columns` each, one after the other.
template <class T, class Kernel>
std::vector<double> NoisyRows(int64_t columns, const Kernel& kernel) {
  std::vector<double> entries;
  const std::vector<T> ones(static_cast<size_t>(columns), T(1));
  std::vector<T> out(ones.size());
  for (uint64_t row = 0; static_cast<int64_t>(entries.size()) < kEntries; ++row) {
    kernel(NoiseKey{.seed = 7, .epoch = 0, .row = row}, ones.data(), out.data(), columns);
    entries.insert(entries.end(), out.begin(), out.end());
  }
  return entries;
}

double Fraction(const std::vector<double>& entries, double value) {
  return static_cast<double>(std::ranges::count(entries, value)) /
         static_cast<double>(entries.size());
}

// Five standard deviations of the fraction of 10⁵ entries.
double FractionTolerance(double p) {
  return 5 * std::sqrt(p * (1 - p) / static_cast<double>(kEntries));
}

TYPED_TEST(NoiseKernelsTest, TheFractionOfChangedEntriesIsP) {
  using T = TypeParam;
  this->ForEachSet([&](const Kernels<T>& kernels) {
    for (const double p : {0.02, 0.3, 0.9}) {
      const std::vector<double> masked =
          NoisyRows<T>(250, [&](const NoiseKey& key, const T* x, T* out, int64_t count) {
            kernels.mask(key, p, x, out, count);
          });
      EXPECT_NEAR(Fraction(masked, 0), p, FractionTolerance(p));
      const std::vector<double> peppered =
          NoisyRows<T>(250, [&](const NoiseKey& key, const T* x, T* out, int64_t count) {
            kernels.salt_and_pepper(key, p, T(-3), T(4), x, out, count);
          });
      EXPECT_NEAR(Fraction(peppered, -3), p / 2, FractionTolerance(p / 2));
      EXPECT_NEAR(Fraction(peppered, 4), p / 2, FractionTolerance(p / 2));
      EXPECT_NEAR(Fraction(peppered, 1), 1 - p, FractionTolerance(p));
    }
  });
}

// Mean of products of entries `lag` apart.
double Covariance(const std::vector<double>& entries, size_t lag) {
  double sum = 0;
  for (size_t i = lag; i < entries.size(); ++i) sum += entries[i] * entries[i - lag];
  return sum / static_cast<double>(entries.size() - lag);
}

double Moment(const std::vector<double>& entries, int power) {
  double sum = 0;
  for (const double entry : entries) sum += std::pow(entry, power);
  return sum / static_cast<double>(entries.size());
}

template <class T>
std::vector<double> Deviates(const Kernels<T>& kernels, int64_t columns) {
  std::vector<double> entries =
      NoisyRows<T>(columns, [&](const NoiseKey& key, const T* x, T* out, int64_t count) {
        kernels.add_gaussian(key, 1, x, out, count);
      });
  for (double& entry : entries) entry -= 1;
  return entries;
}

// Tolerances: five standard deviations of each moment's estimate from 10⁵ entries.
TYPED_TEST(NoiseKernelsTest, GaussianHasTheMomentsAndTailsOfTheNormalDistribution) {
  using T = TypeParam;
  const double unit = 5 / std::sqrt(static_cast<double>(kEntries));
  this->ForEachSet([&](const Kernels<T>& kernels) {
    const std::vector<double> entries = Deviates(kernels, 250);
    EXPECT_NEAR(Moment(entries, 1), 0, unit);
    EXPECT_NEAR(Moment(entries, 2), 1, std::sqrt(2) * unit);
    EXPECT_NEAR(Moment(entries, 3), 0, std::sqrt(15) * unit);
    EXPECT_NEAR(Moment(entries, 4), 3, std::sqrt(96) * unit);
    for (const double bound : {0.5, 1.0, 2.0, 3.0}) {
      const double exact = std::erfc(bound * std::numbers::sqrt2 / 2) / 2;
      const auto above = std::ranges::count_if(entries, [&](double x) { return x > bound; });
      EXPECT_NEAR(static_cast<double>(above) / static_cast<double>(entries.size()), exact,
                  FractionTolerance(exact));
    }
  });
}

TYPED_TEST(NoiseKernelsTest, NeighbouringColumnsAndRowsAreUncorrelated) {
  using T = TypeParam;
  constexpr int64_t kColumns = 250;
  const double unit = 5 / std::sqrt(static_cast<double>(kEntries));
  const std::vector<double> deviates = Deviates(BestKernels<T>(), kColumns);
  std::vector<double> squares = deviates;
  for (double& square : squares) square = (square * square - 1) / std::numbers::sqrt2;
  for (const size_t lag : {1, 2, 3, 4, 5, 249, 250, 251, 500}) {
    EXPECT_NEAR(Covariance(deviates, lag), 0, unit) << lag;
    EXPECT_NEAR(Covariance(squares, lag), 0, 2 * unit) << lag;  // heavier tails
  }
}

TYPED_TEST(NoiseKernelsTest, OtherSeedsEpochsAndRowsGiveOtherNoise) {
  using T = TypeParam;
  constexpr int64_t kCount = 256;
  const std::vector<T> ones(kCount, T(1));
  const auto masked = [&](const NoiseKey& key) {
    std::vector<T> out(kCount);
    BestKernels<T>().mask(key, 0.5, ones.data(), out.data(), kCount);
    return out;
  };
  const std::vector<T> base = masked({.seed = 1, .epoch = 2, .row = 3});
  EXPECT_EQ(masked({.seed = 1, .epoch = 2, .row = 3}), base);
  for (const NoiseKey& other :
       {NoiseKey{2, 2, 3}, NoiseKey{1, 3, 3}, NoiseKey{1, 2, 4},
        NoiseKey{1 + (uint64_t{1} << 32), 2, 3}, NoiseKey{1, 2, 3 + (uint64_t{1} << 32)}}) {
    EXPECT_NE(masked(other), base);
  }
}

}  // namespace
}  // namespace rhohat
