// The kernels that do in one go what others do one after another: against their naive twins, and
// against those others, to the bit.
#include <gtest/gtest.h>

#include <cmath>

#include "rhohat/activation.h"
#include "rhohat/loss.h"
#include "tests/math/kernels_fixture.h"

namespace rhohat {
namespace {

template <class T>
class FusedKernelsTest : public KernelsTest<T> {};

using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(FusedKernelsTest, Types);

constexpr double kBefore = 0.25;  // what sums begin with

// What one kernel is given and leaves.
template <class T>
struct Row {
  std::vector<T> values;
  std::vector<double> sums;
  double cost = 0;

  explicit Row(std::vector<T> values_in)
      : values(std::move(values_in)), sums(values.size(), kBefore) {}
  int64_t size() const { return std::ssize(values); }
};

template <class T>
const ActivationKernels<T>& Of(const Kernels<T>& kernels, Activation activation) {
  return kernels.activations[static_cast<int>(activation)];
}

// Activations of values in [−4, 4].
template <class T>
Row<T> ActivatedRow(const Kernels<T>& kernels, Activation activation, int64_t size) {
  std::vector<T> z = Values<T>(size, 4, 1);
  const std::vector<T> zeros(z.size(), T(0));
  Of(kernels, activation).apply(z.data(), zeros.data(), size);
  return Row<T>(std::move(z));
}

template <class T>
void ExpectSumsOfValues(const Row<T>& row) {
  for (size_t j = 0; j < row.sums.size(); ++j) {
    EXPECT_EQ(row.sums[j], kBefore + static_cast<double>(row.values[j]));
  }
}

TYPED_TEST(FusedKernelsTest, ShiftTimesSlopeMatchesItsTwinAndIsAddThenTimesSlopeToTheBit) {
  using T = TypeParam;
  this->ForEachSize([&](const Kernels<T>& kernels, int64_t size) {
    const std::vector<T> delta = Values<T>(size, 3, 2);
    const std::vector<T> shift = Values<T>(size, 2, 3);
    for (const ActivationInfo& info : kActivations) {
      const Row<T> a = ActivatedRow(this->reference_, info.value, size);
      Row<T> fused = a;
      Row<T> naive = a;
      Of(kernels, info.value)
          .shift_times_slope(delta.data(), shift.data(), fused.values.data(), fused.values.data(),
                             fused.sums.data(), size);
      Of(this->reference_, info.value)
          .shift_times_slope(delta.data(), shift.data(), naive.values.data(), naive.values.data(),
                             naive.sums.data(), size);
      EXPECT_LE(MaxUlps(fused.values, naive.values), 3) << info.name;
      ExpectSumsOfValues(fused);

      std::vector<T> shifted = delta;
      std::vector<T> apart = a.values;
      kernels.add(shift.data(), shifted.data(), size);
      Of(kernels, info.value).times_slope(shifted.data(), apart.data(), apart.data(), size);
      EXPECT_EQ(fused.values, apart) << info.name;
    }
  });
}

TYPED_TEST(FusedKernelsTest, SlopesMatchTheirTwinsAndAreTimesSlopeOfOneToTheBit) {
  using T = TypeParam;
  this->ForEachSize([&](const Kernels<T>& kernels, int64_t size) {
    const std::vector<T> ones(static_cast<size_t>(size), T(1));
    for (const ActivationInfo& info : kActivations) {
      const Row<T> a = ActivatedRow(this->reference_, info.value, size);
      Row<T> slope = a;
      Row<T> naive = a;
      std::vector<T> product(ones.size());
      Of(kernels, info.value)
          .slope_and_sum(a.values.data(), slope.values.data(), slope.sums.data(), size);
      Of(this->reference_, info.value)
          .slope_and_sum(a.values.data(), naive.values.data(), naive.sums.data(), size);
      Of(kernels, info.value).times_slope(ones.data(), a.values.data(), product.data(), size);
      EXPECT_LE(MaxUlps(slope.values, naive.values), 3) << info.name;
      EXPECT_EQ(slope.values, product) << info.name;
      ExpectSumsOfValues(slope);
    }
  });
}

// Values from 0 to 1, some of them at the ends.
template <class T>
std::vector<T> Targets(int64_t size) {
  std::vector<T> target = Values<T>(size, 0.5, 6);
  for (T& value : target) value += T(0.5);
  for (size_t j = 0; j < target.size(); j += 3) target[j] = static_cast<T>(j / 3 % 2);
  return target;
}

// A loss' way back, of decoder products in [−range, range].
template <class T>
Row<T> Back(const Kernels<T>& kernels, Loss loss, Activation activation, int64_t size,
            double range) {
  Row<T> row(Values<T>(size, range, 4));
  const std::vector<T> bias = Values<T>(size, 1, 5);
  const std::vector<T> target = Targets<T>(size);
  const auto back = kernels.losses[static_cast<int>(loss)].back[static_cast<int>(activation)];
  row.cost = back(row.values.data(), bias.data(), target.data(), row.sums.data(), size);
  return row;
}

// The same by one kernel after another. Where a loss is from logits, the decoder is linear to it.
template <class T>
Row<T> BackStepByStep(const Kernels<T>& kernels, const LossInfo& loss, Activation activation,
                      int64_t size, double range) {
  Row<T> row(Values<T>(size, range, 4));
  const std::vector<T> bias = Values<T>(size, 1, 5);
  const std::vector<T> target = Targets<T>(size);
  std::vector<T> delta(target.size());
  const Activation decoder = loss.from_logits ? Activation::kLinear : activation;
  Of(kernels, decoder).apply(row.values.data(), bias.data(), size);
  row.cost = kernels.losses[static_cast<int>(loss.value)].apply(row.values.data(), target.data(),
                                                                delta.data(), size);
  Of(kernels, decoder).times_slope(delta.data(), row.values.data(), row.values.data(), size);
  kernels.add_to_sums(row.values.data(), row.sums.data(), size);
  return row;
}

TYPED_TEST(FusedKernelsTest, TheWayBackFromALossIsItsStepsToTheBit) {
  using T = TypeParam;
  this->ForEachSize([&](const Kernels<T>& kernels, int64_t size) {
    for (const LossInfo& loss : kLosses) {
      for (const ActivationInfo& info : kActivations) {
        for (const double range : {1.0, 20.0}) {
          const Row<T> fused = Back(kernels, loss.value, info.value, size, range);
          const Row<T> steps = BackStepByStep(kernels, loss, info.value, size, range);
          EXPECT_EQ(fused.values, steps.values) << loss.name << " " << info.name;
          EXPECT_EQ(fused.sums, steps.sums) << loss.name << " " << info.name;
          EXPECT_EQ(fused.cost, steps.cost) << loss.name << " " << info.name;
        }
      }
    }
  });
}

// Relative to 1, since a slope near a saturated activation has its error.
TYPED_TEST(FusedKernelsTest, TheWayBackFromALossMatchesItsTwin) {
  using T = TypeParam;
  this->ForEachSize([&](const Kernels<T>& kernels, int64_t size) {
    for (const LossInfo& loss : kLosses) {
      for (const ActivationInfo& info : kActivations) {
        const Row<T> fused = Back(kernels, loss.value, info.value, size, 2);
        const Row<T> naive = Back(this->reference_, loss.value, info.value, size, 2);
        for (size_t j = 0; j < fused.sums.size(); ++j) {
          EXPECT_NEAR(fused.values[j], naive.values[j], 8 * TestFixture::kEpsilon)
              << loss.name << " " << info.name;
          EXPECT_NEAR(fused.sums[j], naive.sums[j], 8 * TestFixture::kEpsilon);
        }
        EXPECT_NEAR(fused.cost, naive.cost, 4 * TestFixture::kEpsilon * naive.cost);
      }
    }
  });
}

TYPED_TEST(FusedKernelsTest, NanComesThroughAtEveryPlace) {
  using T = TypeParam;
  constexpr size_t kCount = 37;
  this->ForEachSet([&](const Kernels<T>& kernels) {
    for (const size_t place : {size_t{0}, size_t{2}, size_t{17}, size_t{36}}) {
      const std::vector<T> zeros(kCount, T(0));
      std::vector<T> bad = zeros;
      bad[place] = TestFixture::kNan;
      for (const ActivationInfo& info : kActivations) {
        Row<T> shifted(zeros);
        Of(kernels, info.value)
            .shift_times_slope(bad.data(), zeros.data(), shifted.values.data(),
                               shifted.values.data(), shifted.sums.data(), kCount);
        EXPECT_TRUE(std::isnan(shifted.sums[place])) << info.name;
        for (const LossInfo& loss : kLosses) {
          Row<T> row(bad);
          const auto back =
              kernels.losses[static_cast<int>(loss.value)].back[static_cast<int>(info.value)];
          EXPECT_TRUE(std::isnan(
              back(row.values.data(), zeros.data(), zeros.data(), row.sums.data(), kCount)));
          for (size_t j = 0; j < kCount; ++j) {
            EXPECT_EQ(std::isnan(row.values[j]), j == place) << loss.name << " " << info.name;
            EXPECT_EQ(std::isnan(row.sums[j]), j == place) << loss.name << " " << info.name;
          }
        }
      }
    }
  });
}

// A decoder's product may overflow: what saturates stays finite.
TYPED_TEST(FusedKernelsTest, InfiniteProductsSaturateWhereTheActivationDoes) {
  using T = TypeParam;
  this->ForEachSet([&](const Kernels<T>& kernels) {
    for (const Activation activation : {Activation::kSigmoid, Activation::kTanh}) {
      Row<T> row(std::vector<T>(19, TestFixture::kInfinity));
      const std::vector<T> zeros(19, T(0));
      const auto back = kernels.losses[0].back[static_cast<int>(activation)];
      EXPECT_EQ(back(row.values.data(), zeros.data(), zeros.data(), row.sums.data(), 19), 9.5);
      EXPECT_EQ(row.values, zeros);
    }
    Row<T> row(std::vector<T>(19, -TestFixture::kInfinity));
    const std::vector<T> zeros(19, T(0));
    EXPECT_FALSE(std::isfinite(kernels.losses[0].back[static_cast<int>(Activation::kLinear)](
        row.values.data(), zeros.data(), zeros.data(), row.sums.data(), 19)));
  });
}

}  // namespace
}  // namespace rhohat
