#include "base/keyed_random.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

namespace rhohat {
namespace {

using Words = std::array<uint32_t, 4>;

// The known answers that come with Random123, the authors' own implementation.
TEST(Philox, GivesTheKnownAnswers) {
  EXPECT_EQ(Philox4x32({0, 0, 0, 0}, {0, 0}),
            (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr uint32_t kOnes = 0xffffffff;
  EXPECT_EQ(Philox4x32({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(Philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(KeyedRandom, IsAFunctionOfSeedPurposeAndIndex) {
  const KeyedRandom weights(7, RandomPurpose::kInitialWeights);
  EXPECT_EQ(weights.Bits(12345), KeyedRandom(7, RandomPurpose::kInitialWeights).Bits(12345));
  EXPECT_NE(weights.Bits(12345), weights.Bits(12346));
  EXPECT_NE(weights.Bits(12345), KeyedRandom(8, RandomPurpose::kInitialWeights).Bits(12345));
  EXPECT_NE(weights.Bits(12345), KeyedRandom(7, RandomPurpose::kGradientSample).Bits(12345));
}

TEST(KeyedRandom, UsesEveryBitOfSeedAndIndex) {
  const KeyedRandom low(1, RandomPurpose::kInitialWeights);
  const KeyedRandom high(1 | uint64_t{1} << 32, RandomPurpose::kInitialWeights);
  EXPECT_NE(low.Bits(0), high.Bits(0));
  EXPECT_NE(low.Bits(0), low.Bits(uint64_t{1} << 32));
  EXPECT_NE(low.Bits(0), low.Bits(std::numeric_limits<uint64_t>::max()));
}

TEST(KeyedRandom, UniformNumbersFillTheUnitIntervalEvenly) {
  const KeyedRandom random(1, RandomPurpose::kInitialWeights);
  constexpr int kCount = 100'000;
  double sum = 0;
  double sum_of_squares = 0;
  for (int i = 0; i < kCount; ++i) {
    const double value = random.Uniform(static_cast<uint64_t>(i));
    ASSERT_GE(value, 0);
    ASSERT_LT(value, 1);
    sum += value;
    sum_of_squares += value * value;
  }
  // Five standard deviations of the mean, and of the mean of squares, of that many.
  EXPECT_NEAR(sum / kCount, 1.0 / 2, 5 * std::sqrt(1.0 / 12 / kCount));
  EXPECT_NEAR(sum_of_squares / kCount, 1.0 / 3, 5 * std::sqrt(4.0 / 45 / kCount));
}

TEST(KeyedRandom, DoesNotRepeatItself) {
  const KeyedRandom random(1, RandomPurpose::kGradientSample);
  std::set<uint64_t> seen;
  for (uint64_t i = 0; i < 10'000; ++i) EXPECT_TRUE(seen.insert(random.Bits(i)).second);
}

}  // namespace
}  // namespace rhohat
