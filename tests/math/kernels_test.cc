// Every fast kernel against its naive twin: odd sizes, tails, zeros, NaN and infinities.
#include "math/kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "base/keyed_random.h"
#include "math/kernels_reference.h"

namespace rhohat {
namespace {

constexpr int64_t kSizes[] = {0, 1, 2, 3, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 784, 1001};
constexpr const char* kSets[] = {"portable", "avx2", "avx512"};

template <class T>
std::vector<T> Values(int64_t count, double range, uint64_t seed) {
  const KeyedRandom random(seed, RandomPurpose::kGradientSample);
  std::vector<T> values(static_cast<size_t>(count));
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<T>((2 * random.Uniform(i) - 1) * range);
  }
  return values;
}

// Distance in units in the last place of `exact`.
template <class T>
double Ulps(T value, T exact) {
  if (std::isnan(value) && std::isnan(exact)) return 0;
  if (value == exact) return 0;
  const T ulp =
      std::nextafter(std::abs(exact), std::numeric_limits<T>::infinity()) - std::abs(exact);
  return std::abs(static_cast<double>(value - exact)) / static_cast<double>(ulp);
}

template <class T>
class KernelsTest : public testing::Test {
 protected:
  // Runs `check(kernels)` for each instruction set that this machine has.
  template <class Check>
  void ForEachSet(const Check& check) {
    int sets = 0;
    for (const char* name : kSets) {
      if (const Kernels<T>* kernels = FindKernels<T>(name)) {
        SCOPED_TRACE(name);
        EXPECT_STREQ(kernels->name, name);
        check(*kernels);
        ++sets;
      }
    }
    EXPECT_GE(sets, 1);
  }

  const Kernels<T>& reference_ = ReferenceKernels<T>();
};

using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(KernelsTest, Types);

TYPED_TEST(KernelsTest, SigmoidIsWithinThreeUlpsOfItsTwin) {
  using T = TypeParam;
  this->ForEachSet([&](const Kernels<T>& kernels) {
    for (const int64_t size : kSizes) {
      for (const double range : {0.5, 8.0, 60.0}) {
        const std::vector<T> bias = Values<T>(size, range / 4, 2);
        std::vector<T> fast = Values<T>(size, range, 1);
        std::vector<T> naive = fast;
        kernels.add_bias_sigmoid(fast.data(), bias.data(), size);
        this->reference_.add_bias_sigmoid(naive.data(), bias.data(), size);
        for (size_t i = 0; i < fast.size(); ++i) {
          EXPECT_LE(Ulps(fast[i], naive[i]), 3.0) << "size " << size << " at " << i;
        }
      }
    }
  });
}

TYPED_TEST(KernelsTest, SigmoidLetsNanThroughAndSaturatesAtInfinity) {
  using T = TypeParam;
  constexpr T kInfinity = std::numeric_limits<T>::infinity();
  constexpr T kNan = std::numeric_limits<T>::quiet_NaN();
  const std::vector<std::pair<T, T>> expectations = {
      {kNan, kNan}, {kInfinity, T(1)}, {T(1e30), T(1)}};
  this->ForEachSet([&](const Kernels<T>& kernels) {
    for (const int64_t size : {1, 5, 16, 40}) {
      std::vector<T> z(static_cast<size_t>(size), T(0));
      const std::vector<T> bias(z.size(), T(0));
      for (const auto& [input, expected] : expectations) {
        std::ranges::fill(z, input);
        kernels.add_bias_sigmoid(z.data(), bias.data(), size);
        for (const T value : z) EXPECT_EQ(Ulps(value, expected), 0) << input;
      }
      std::ranges::fill(z, -kInfinity);
      kernels.add_bias_sigmoid(z.data(), bias.data(), size);
      for (const T value : z) {
        EXPECT_GE(value, T(0));
        EXPECT_LT(value, T(1e-37));
      }
      std::ranges::fill(z, T(0));
      kernels.add_bias_sigmoid(z.data(), bias.data(), size);
      for (const T value : z) EXPECT_EQ(value, T(0.5));
    }
  });
}

TYPED_TEST(KernelsTest, SlopeMatchesItsTwinAndMayWriteOverItsOperands) {
  using T = TypeParam;
  this->ForEachSet([&](const Kernels<T>& kernels) {
    for (const int64_t size : kSizes) {
      const std::vector<T> delta = Values<T>(size, 3, 3);
      std::vector<T> a = Values<T>(size, 0.5, 4);
      for (T& value : a) value += T(0.5);
      std::vector<T> naive(delta.size());
      this->reference_.times_sigmoid_slope(delta.data(), a.data(), naive.data(), size);
      std::vector<T> over_delta = delta;
      std::vector<T> over_a = a;
      kernels.times_sigmoid_slope(over_delta.data(), a.data(), over_delta.data(), size);
      kernels.times_sigmoid_slope(delta.data(), over_a.data(), over_a.data(), size);
      for (size_t i = 0; i < naive.size(); ++i) {
        EXPECT_LE(Ulps(over_delta[i], naive[i]), 3.0);
        EXPECT_EQ(over_delta[i], over_a[i]);
      }
    }
  });
}

TYPED_TEST(KernelsTest, SquaredErrorMatchesItsTwin) {
  using T = TypeParam;
  this->ForEachSet([&](const Kernels<T>& kernels) {
    for (const int64_t size : kSizes) {
      const std::vector<T> reconstruction = Values<T>(size, 1, 5);
      const std::vector<T> target = Values<T>(size, 1, 6);
      std::vector<T> delta(target.size());
      std::vector<T> naive_delta(target.size());
      const double cost =
          kernels.squared_error(reconstruction.data(), target.data(), delta.data(), size);
      const double naive = this->reference_.squared_error(reconstruction.data(), target.data(),
                                                          naive_delta.data(), size);
      EXPECT_EQ(delta, naive_delta);
      EXPECT_NEAR(cost, naive, 1e-14 * static_cast<double>(size) * (1 + naive));
    }
  });
}

TYPED_TEST(KernelsTest, SquaredErrorOfNanIsNan) {
  using T = TypeParam;
  this->ForEachSet([&](const Kernels<T>& kernels) {
    std::vector<T> reconstruction(37, T(0));
    reconstruction[35] = std::numeric_limits<T>::quiet_NaN();
    const std::vector<T> target(37, T(0));
    std::vector<T> delta(37);
    EXPECT_TRUE(
        std::isnan(kernels.squared_error(reconstruction.data(), target.data(), delta.data(), 37)));
  });
}

TYPED_TEST(KernelsTest, SumsMatchTheirTwinsExactly) {
  using T = TypeParam;
  this->ForEachSet([&](const Kernels<T>& kernels) {
    for (const int64_t size : kSizes) {
      const std::vector<T> x = Values<T>(size, 5, 7);
      std::vector<T> y = Values<T>(size, 5, 8);
      std::vector<T> naive_y = y;
      std::vector<double> sums(x.size(), 0.25);
      std::vector<double> naive_sums(x.size(), 0.25);
      kernels.add(x.data(), y.data(), size);
      this->reference_.add(x.data(), naive_y.data(), size);
      kernels.add_to_sums(x.data(), sums.data(), size);
      this->reference_.add_to_sums(x.data(), naive_sums.data(), size);
      EXPECT_EQ(y, naive_y);
      EXPECT_EQ(sums, naive_sums);
    }
  });
}

TYPED_TEST(KernelsTest, TheBestIsOneOfTheSets) {
  EXPECT_EQ(&BestKernels<TypeParam>(), FindKernels<TypeParam>(BestKernels<TypeParam>().name));
  EXPECT_EQ(FindKernels<TypeParam>("sse9"), nullptr);
}

}  // namespace
}  // namespace rhohat
