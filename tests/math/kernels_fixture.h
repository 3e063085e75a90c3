// What the tests of the kernels share: sizes with every kind of tail, made-up values, distances.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "base/keyed_random.h"
#include "math/kernels.h"
#include "math/kernels_reference.h"

namespace rhohat {

inline constexpr int64_t kSizes[] = {0,  1,  2,  3,  7,  8,  15,  16,  17,
                                     31, 32, 33, 63, 64, 65, 100, 784, 1001};
inline constexpr const char* kSets[] = {"portable", "avx2", "avx512"};

// Uniform in [−range, range].
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
double MaxUlps(const std::vector<T>& values, const std::vector<T>& exact) {
  double most = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const double ulps = Ulps(values[i], exact[i]);
    most = ulps <= most ? most : ulps;  // NaN counts as most
  }
  return most;
}

template <class T>
class KernelsTest : public testing::Test {
 protected:
  static constexpr T kInfinity = std::numeric_limits<T>::infinity();
  static constexpr T kNan = std::numeric_limits<T>::quiet_NaN();
  static constexpr double kEpsilon = std::numeric_limits<T>::epsilon();

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

  // Runs `check(kernels, size)` for each of those and each size.
  template <class Check>
  void ForEachSize(const Check& check) {
    ForEachSet([&](const Kernels<T>& kernels) {
      for (const int64_t size : kSizes) {
        SCOPED_TRACE(size);
        check(kernels, size);
      }
    });
  }

  const Kernels<T>& reference_ = ReferenceKernels<T>();
};

}  // namespace rhohat
