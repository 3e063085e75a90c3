// Every fast kernel against its naive twin: odd sizes, tails, zeros, NaN and infinities. (Noise:
// noise_kernels_test.cc.)
#include "math/kernels.h"

#include <utility>

#include "rhohat/activation.h"
#include "rhohat/loss.h"
#include "tests/math/kernels_fixture.h"

namespace rhohat {
namespace {

using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(KernelsTest, Types);

template <class T>
const ActivationKernels<T>& Of(const Kernels<T>& kernels, Activation activation) {
  return kernels.activations[static_cast<int>(activation)];
}

template <class T>
const LossKernels<T>& Of(const Kernels<T>& kernels, Loss loss) {
  return kernels.losses[static_cast<int>(loss)];
}

// f of `count` values between −range and range.
template <class T>
std::vector<T> Activated(const Kernels<T>& kernels, Activation activation, int64_t count,
                         double range) {
  std::vector<T> z = Values<T>(count, range, 1);
  const std::vector<T> bias = Values<T>(count, range / 4, 2);
  Of(kernels, activation).apply(z.data(), bias.data(), count);
  return z;
}

// f(z) by a row of `size` equal values, which all have to agree.
template <class T>
T ValueOf(const Kernels<T>& kernels, Activation activation, T z, int64_t size) {
  std::vector<T> row(static_cast<size_t>(size), z);
  const std::vector<T> bias(row.size(), T(0));
  Of(kernels, activation).apply(row.data(), bias.data(), size);
  for (const T value : row) EXPECT_EQ(Ulps(value, row[0]), 0) << z;
  return row[0];
}

TYPED_TEST(KernelsTest, TheTablesAreAsLongAsTheListsOfNames) {
  static_assert(std::size(Kernels<TypeParam>{}.activations) == std::size(kActivations));
  static_assert(std::size(Kernels<TypeParam>{}.losses) == std::size(kLosses));
  this->ForEachSet([&](const Kernels<TypeParam>& kernels) {
    for (const ActivationKernels<TypeParam>& activation : kernels.activations) {
      EXPECT_NE(activation.apply, nullptr);
    }
    for (const LossKernels<TypeParam>& loss : kernels.losses) EXPECT_NE(loss.apply, nullptr);
  });
}

TYPED_TEST(KernelsTest, ActivationsAreWithinTheirUlpsOfTheirTwins) {
  using T = TypeParam;
  constexpr double kMostUlps[] = {3, 4, 0, 0};
  this->ForEachSize([&](const Kernels<T>& kernels, int64_t size) {
    for (const ActivationInfo& info : kActivations) {
      for (const double range : {0.01, 0.5, 8.0, 55.0}) {
        const double ulps = MaxUlps(Activated(kernels, info.value, size, range),
                                    Activated(this->reference_, info.value, size, range));
        EXPECT_LE(ulps, kMostUlps[static_cast<int>(info.value)]) << info.name << " to " << range;
      }
    }
  });
}

// From the smallest normal numbers to where tanh is 1.
TYPED_TEST(KernelsTest, TanhIsWithinFourUlpsAtEveryMagnitude) {
  using T = TypeParam;
  constexpr int64_t kCount = 20000;
  const std::vector<T> bias(kCount, T(0));
  std::vector<T> z = Values<T>(kCount, 1, 11);
  for (size_t i = 0; i < z.size(); ++i) z[i] = std::ldexp(z[i], static_cast<int>(i % 128) - 120);
  std::vector<T> naive = z;
  Of(this->reference_, Activation::kTanh).apply(naive.data(), bias.data(), kCount);
  this->ForEachSet([&](const Kernels<T>& kernels) {
    std::vector<T> fast = z;
    Of(kernels, Activation::kTanh).apply(fast.data(), bias.data(), kCount);
    EXPECT_LE(MaxUlps(fast, naive), 4);
  });
}

TYPED_TEST(KernelsTest, ActivationsLetNanThroughAndSaturateAtInfinity) {
  using T = TypeParam;
  this->ForEachSet([&](const Kernels<T>& kernels) {
    for (const int64_t size : {1, 5, 16, 40}) {
      for (const ActivationInfo& info : kActivations) {
        EXPECT_TRUE(std::isnan(ValueOf(kernels, info.value, TestFixture::kNan, size))) << info.name;
        for (const T large : {TestFixture::kInfinity, T(1e30)}) {
          const T limit = info.high < kUnbounded ? static_cast<T>(info.high) : large;
          EXPECT_EQ(ValueOf(kernels, info.value, large, size), limit) << info.name;
        }
        const T at_zero = info.value == Activation::kSigmoid ? T(0.5) : T(0);
        EXPECT_EQ(ValueOf(kernels, info.value, T(0), size), at_zero) << info.name;
      }
      const T sigmoid = ValueOf(kernels, Activation::kSigmoid, -TestFixture::kInfinity, size);
      EXPECT_GE(sigmoid, T(0));
      EXPECT_LT(sigmoid, T(1e-37));
      EXPECT_EQ(ValueOf(kernels, Activation::kTanh, -TestFixture::kInfinity, size), T(-1));
      EXPECT_EQ(ValueOf(kernels, Activation::kRelu, -TestFixture::kInfinity, size), T(0));
      EXPECT_EQ(ValueOf(kernels, Activation::kLinear, -TestFixture::kInfinity, size),
                -TestFixture::kInfinity);
    }
  });
}

TYPED_TEST(KernelsTest, TanhIsOdd) {
  using T = TypeParam;
  this->ForEachSet([&](const Kernels<T>& kernels) {
    for (const T z : {T(0), T(1e-30), T(0.1), T(0.4), T(1), T(3), T(20)}) {
      const T positive = ValueOf(kernels, Activation::kTanh, z, 37);
      const T negative = ValueOf(kernels, Activation::kTanh, -z, 37);
      EXPECT_EQ(negative, -positive);
      EXPECT_TRUE(std::signbit(negative));
    }
  });
}

TYPED_TEST(KernelsTest, SlopesMatchTheirTwinsAndMayBeWrittenOverTheirOperands) {
  using T = TypeParam;
  this->ForEachSize([&](const Kernels<T>& kernels, int64_t size) {
    const std::vector<T> delta = Values<T>(size, 3, 3);
    for (const ActivationInfo& info : kActivations) {
      const std::vector<T> a = Activated(this->reference_, info.value, size, 4);
      std::vector<T> naive(a.size());
      Of(this->reference_, info.value).times_slope(delta.data(), a.data(), naive.data(), size);
      std::vector<T> over_delta = delta;
      std::vector<T> over_a = a;
      const auto times_slope = Of(kernels, info.value).times_slope;
      times_slope(over_delta.data(), a.data(), over_delta.data(), size);
      times_slope(delta.data(), over_a.data(), over_a.data(), size);
      EXPECT_LE(MaxUlps(over_delta, naive), 3) << info.name;
      EXPECT_EQ(over_delta, over_a) << info.name;
    }
  });
}

TYPED_TEST(KernelsTest, SlopeSquaresAndCurvaturesMatchTheirTwins) {
  using T = TypeParam;
  this->ForEachSize([&](const Kernels<T>& kernels, int64_t size) {
    const std::vector<T> weights = Values<T>(size, 3, 4);
    for (const ActivationInfo& info : kActivations) {
      const std::vector<T> a = Activated(this->reference_, info.value, size, 4);
      std::vector<double> sums(a.size(), 0.25);
      std::vector<double> naive_sums = sums;
      std::vector<T> delta = Values<T>(size, 2, 5);
      std::vector<T> naive_delta = delta;
      Of(kernels, info.value).add_slope_squares(a.data(), sums.data(), size);
      Of(this->reference_, info.value).add_slope_squares(a.data(), naive_sums.data(), size);
      Of(kernels, info.value).add_curvature(weights.data(), a.data(), delta.data(), size);
      Of(this->reference_, info.value)
          .add_curvature(weights.data(), a.data(), naive_delta.data(), size);
      for (size_t j = 0; j < a.size(); ++j) {
        const double square = naive_sums[j] - 0.25;
        EXPECT_NEAR(sums[j], naive_sums[j],
                    4 * TestFixture::kEpsilon * square + 0x1p-52 * naive_sums[j])
            << info.name;
        EXPECT_NEAR(delta[j], naive_delta[j], 4 * TestFixture::kEpsilon) << info.name;
      }
    }
  });
}

TYPED_TEST(KernelsTest, ReluHasSlopeOneAboveZeroOnlyAndNoCurvature) {
  using T = TypeParam;
  this->ForEachSet([&](const Kernels<T>& kernels) {
    const std::vector<T> a = {T(0), std::numeric_limits<T>::denorm_min(), T(7),
                              TestFixture::kInfinity};
    std::vector<T> delta(a.size(), T(2));
    Of(kernels, Activation::kRelu).add_curvature(a.data(), a.data(), delta.data(), 4);
    EXPECT_EQ(delta, std::vector<T>(a.size(), T(2)));
    Of(kernels, Activation::kRelu).times_slope(delta.data(), a.data(), delta.data(), 4);
    EXPECT_EQ(delta, (std::vector<T>{T(0), T(2), T(2), T(2)}));
  });
}

TYPED_TEST(KernelsTest, SlopesOfNanAreNan) {
  using T = TypeParam;
  this->ForEachSet([&](const Kernels<T>& kernels) {
    for (const ActivationInfo& info : kActivations) {
      const std::vector<T> nan(37, TestFixture::kNan);
      std::vector<T> out(37, T(0));
      Of(kernels, info.value).times_slope(nan.data(), out.data(), out.data(), 37);
      for (const T value : out) EXPECT_TRUE(std::isnan(value)) << info.name;
      if (info.value == Activation::kLinear) continue;  // whose slope is 1 whatever a is
      std::vector<double> sums(37, 0);
      Of(kernels, info.value).slope_and_sum(nan.data(), out.data(), sums.data(), 37);
      for (const T value : out) EXPECT_TRUE(std::isnan(value)) << info.name;
      for (const double sum : sums) EXPECT_TRUE(std::isnan(sum)) << info.name;
    }
  });
}

TYPED_TEST(KernelsTest, SquaredErrorMatchesItsTwin) {
  using T = TypeParam;
  this->ForEachSize([&](const Kernels<T>& kernels, int64_t size) {
    std::vector<T> reconstruction = Values<T>(size, 1, 5);
    const std::vector<T> before = reconstruction;
    const std::vector<T> target = Values<T>(size, 1, 6);
    std::vector<T> delta(target.size());
    std::vector<T> naive_delta(target.size());
    const auto apply = Of(kernels, Loss::kSquared).apply;
    const double cost = apply(reconstruction.data(), target.data(), delta.data(), size);
    const double naive = Of(this->reference_, Loss::kSquared)
                             .apply(reconstruction.data(), target.data(), naive_delta.data(), size);
    EXPECT_EQ(reconstruction, before);
    EXPECT_EQ(delta, naive_delta);
    EXPECT_NEAR(cost, naive, 1e-14 * static_cast<double>(size) * (1 + naive));
  });
}

// The error of one logarithm at most, and less for a whole row.
TYPED_TEST(KernelsTest, CrossEntropyMatchesItsTwin) {
  using T = TypeParam;
  this->ForEachSize([&](const Kernels<T>& kernels, int64_t size) {
    std::vector<T> target = Values<T>(size, 0.5, 6);
    for (T& value : target) value += T(0.5);
    for (size_t j = 0; j < target.size(); j += 3) target[j] = static_cast<T>(j / 3 % 2);
    for (const double range : {0.5, 8.0, 60.0}) {
      std::vector<T> output = Values<T>(size, range, 5);
      std::vector<T> naive_output = output;
      std::vector<T> delta(target.size());
      std::vector<T> naive_delta(target.size());
      const double cost =
          Of(kernels, Loss::kCrossEntropy).apply(output.data(), target.data(), delta.data(), size);
      const double naive = Of(this->reference_, Loss::kCrossEntropy)
                               .apply(naive_output.data(), target.data(), naive_delta.data(), size);
      const double units = size < 63 ? 3 : 1;
      EXPECT_NEAR(cost, naive, units * TestFixture::kEpsilon * naive);
      EXPECT_LE(MaxUlps(output, naive_output), 3);
      for (size_t j = 0; j < delta.size(); ++j) EXPECT_EQ(delta[j], output[j] - target[j]);
    }
  });
}

TYPED_TEST(KernelsTest, CrossEntropyReconstructsAsTheSigmoidDoes) {
  using T = TypeParam;
  this->ForEachSize([&](const Kernels<T>& kernels, int64_t size) {
    std::vector<T> output = Values<T>(size, 30, 5);
    std::vector<T> activated = output;
    const std::vector<T> zeros(output.size(), T(0));
    std::vector<T> delta(output.size());
    Of(kernels, Activation::kSigmoid).apply(activated.data(), zeros.data(), size);
    Of(kernels, Loss::kCrossEntropy).apply(output.data(), zeros.data(), delta.data(), size);
    EXPECT_EQ(output, activated);
  });
}

// Where the probability rounds to 0 or 1 and its logarithm would be infinite.
TYPED_TEST(KernelsTest, CrossEntropyOfLargeInputsIsTheirMagnitudeOrNothing) {
  using T = TypeParam;
  this->ForEachSet([&](const Kernels<T>& kernels) {
    std::vector<T> output = {T(1e4), T(1e4), T(-1e4), T(-1e4)};
    std::vector<T> target = {T(0), T(1), T(0), T(1)};
    std::vector<T> delta(4);
    EXPECT_EQ(Of(kernels, Loss::kCrossEntropy).apply(output.data(), target.data(), delta.data(), 4),
              2e4);
    EXPECT_EQ(delta[0], T(1));
    EXPECT_EQ(delta[1], T(0));
    EXPECT_NEAR(delta[2], 0, 1e-37);
    EXPECT_EQ(delta[3], T(-1));
  });
}

TYPED_TEST(KernelsTest, LossesOfNanAndInfinityAreNotFinite) {
  using T = TypeParam;
  this->ForEachSet([&](const Kernels<T>& kernels) {
    for (const LossInfo& info : kLosses) {
      for (const T bad : {TestFixture::kNan, TestFixture::kInfinity, -TestFixture::kInfinity}) {
        for (const size_t place : {size_t{2}, size_t{35}}) {
          std::vector<T> output(37, T(0));
          output[place] = bad;
          const std::vector<T> target(37, T(0));
          std::vector<T> delta(37);
          EXPECT_FALSE(std::isfinite(
              Of(kernels, info.value).apply(output.data(), target.data(), delta.data(), 37)))
              << info.name << " of " << bad;
        }
      }
    }
  });
}

TYPED_TEST(KernelsTest, SumsMatchTheirTwinsExactly) {
  using T = TypeParam;
  const Kernels<T>& naive = this->reference_;
  this->ForEachSize([&](const Kernels<T>& kernels, int64_t size) {
    std::vector<T> x = Values<T>(size, 5, 7);
    for (size_t j = 0; j < x.size(); j += 5) x[j] = j % 2 == 0 ? T(0) : T(-0.0);
    std::vector<T> y = Values<T>(size, 5, 8);
    std::vector<T> naive_y = y;
    std::vector<double> sums(x.size(), 0.25);
    std::vector<double> naive_sums(x.size(), 0.25);
    kernels.add(x.data(), y.data(), size);
    naive.add(x.data(), naive_y.data(), size);
    EXPECT_EQ(y, naive_y);
    kernels.add_to_sums(x.data(), sums.data(), size);
    naive.add_to_sums(x.data(), naive_sums.data(), size);
    EXPECT_EQ(sums, naive_sums);
    kernels.add_magnitudes(x.data(), sums.data(), size);
    naive.add_magnitudes(x.data(), naive_sums.data(), size);
    EXPECT_EQ(sums, naive_sums);
    kernels.add_signs(T(0.75), x.data(), y.data(), size);
    naive.add_signs(T(0.75), x.data(), naive_y.data(), size);
    EXPECT_EQ(y, naive_y);
  });
}

TYPED_TEST(KernelsTest, SignsAndMagnitudesLetNanThrough) {
  using T = TypeParam;
  this->ForEachSet([&](const Kernels<T>& kernels) {
    const std::vector<T> nan(19, TestFixture::kNan);
    std::vector<T> delta(19, T(1));
    std::vector<double> sums(19, 0);
    kernels.add_signs(T(2), nan.data(), delta.data(), 19);
    kernels.add_magnitudes(nan.data(), sums.data(), 19);
    for (const T value : delta) EXPECT_TRUE(std::isnan(value));
    for (const double sum : sums) EXPECT_TRUE(std::isnan(sum));
  });
}

TYPED_TEST(KernelsTest, RangesMatchTheirTwins) {
  using T = TypeParam;
  this->ForEachSize([&](const Kernels<T>& kernels, int64_t size) {
    const std::vector<T> x = Values<T>(size, 5, 9);
    T low = T(0.5);
    T high = T(0.75);
    std::pair<T, T> naive = {low, high};
    kernels.extend_range(x.data(), size, &low, &high);
    this->reference_.extend_range(x.data(), size, &naive.first, &naive.second);
    EXPECT_EQ(low, naive.first);
    EXPECT_EQ(high, naive.second);
  });
}

TYPED_TEST(KernelsTest, AnExtremeValueIsFoundAtEveryPlaceAndANanIsKept) {
  using T = TypeParam;
  this->ForEachSet([&](const Kernels<T>& kernels) {
    for (size_t place = 0; place < 83; ++place) {
      for (const T extreme : {T(9), T(-9), TestFixture::kInfinity, TestFixture::kNan}) {
        std::vector<T> x(83, T(1));
        x[place] = extreme;
        T low = TestFixture::kInfinity;
        T high = -TestFixture::kInfinity;
        kernels.extend_range(x.data(), 83, &low, &high);
        EXPECT_EQ(Ulps(low, extreme > 0 ? T(1) : extreme), 0) << place;
        EXPECT_EQ(Ulps(high, extreme < 0 ? T(1) : extreme), 0) << place;
      }
    }
  });
}

TYPED_TEST(KernelsTest, TheBestIsOneOfTheSets) {
  EXPECT_EQ(&BestKernels<TypeParam>(), FindKernels<TypeParam>(BestKernels<TypeParam>().name));
  EXPECT_EQ(FindKernels<TypeParam>("sse9"), nullptr);
}

}  // namespace
}  // namespace rhohat
