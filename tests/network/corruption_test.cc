#include "network/corruption.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "rhohat/error.h"

namespace rhohat {
namespace {

constexpr int64_t kRows = 60;
constexpr int64_t kColumns = 37;
constexpr NoiseOptions kNoises[] = {
    {NoiseKind::kMask, 0.3}, {NoiseKind::kGaussian, 0.2}, {NoiseKind::kSaltPepper, 0.4}};

template <class T>
std::vector<T> Clean() {
  std::vector<T> values(kRows * kColumns);
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<T>(0.2 + 0.6 * static_cast<double>(i % 101) / 101);
  }
  return values;
}

// All rows, in blocks of `block` of them.
template <class T>
std::vector<T> Corrupted(const Corruption<T>& corruption, int64_t block, int64_t first_row = 0) {
  const std::vector<T> rows = Clean<T>();
  std::vector<T> out(rows.size());
  for (int64_t row = 0; row < kRows; row += block) {
    const int64_t count = std::min(block, kRows - row);
    corruption.Apply(first_row + row, {rows.data() + row * kColumns, count, kColumns},
                     {out.data() + row * kColumns, count, kColumns});
  }
  return out;
}

TEST(CorruptionTest, IsTheSameWhateverTheBlocks) {
  for (const NoiseOptions& noise : kNoises) {
    const Corruption<float> corruption(noise, {.seed = 3});
    const std::vector<float> whole = Corrupted(corruption, kRows);
    EXPECT_NE(whole, Clean<float>());
    for (const int64_t block : {1, 7, 32}) EXPECT_EQ(Corrupted(corruption, block), whole) << block;
  }
}

TEST(CorruptionTest, IsTheSameEachTime) {
  for (const NoiseOptions& noise : kNoises) {
    const Corruption<double> corruption(noise, {.seed = 3});
    EXPECT_EQ(Corrupted(corruption, 8), Corrupted(corruption, 8));
    EXPECT_EQ(Corrupted(Corruption<double>(noise, {.seed = 3}), 8), Corrupted(corruption, 8));
  }
}

TEST(CorruptionTest, EpochsSeedsAndRowsHaveOtherNoise) {
  for (const NoiseOptions& noise : kNoises) {
    Corruption<double> corruption(noise, {.seed = 3});
    const std::vector<double> first = Corrupted(corruption, kRows);
    EXPECT_NE(Corrupted(Corruption<double>(noise, {.seed = 4}), kRows), first);
    EXPECT_NE(Corrupted(corruption, kRows, kRows), first);
    corruption.set_epoch(1);
    const std::vector<double> second = Corrupted(corruption, kRows);
    EXPECT_NE(second, first);
    corruption.set_epoch(2);
    EXPECT_NE(Corrupted(corruption, kRows), second);
    corruption.set_epoch(0);
    EXPECT_EQ(Corrupted(corruption, kRows), first);
  }
}

// Rows beyond 2^32 do not begin anew.
TEST(CorruptionTest, RowsFarOutHaveNoiseOfTheirOwn) {
  for (const NoiseOptions& noise : kNoises) {
    const Corruption<double> corruption(noise, {.seed = 3});
    EXPECT_NE(Corrupted(corruption, kRows, int64_t{1} << 32), Corrupted(corruption, kRows));
  }
}

TEST(CorruptionTest, FloatAndDoubleLoseTheSameEntries) {
  for (const NoiseOptions& noise : {kNoises[0], kNoises[2]}) {
    const NoiseSource source = {.seed = 5, .low = -1, .high = 2};
    const std::vector<double> doubles = Corrupted(Corruption<double>(noise, source), kRows);
    const std::vector<float> floats = Corrupted(Corruption<float>(noise, source), kRows);
    for (size_t i = 0; i < doubles.size(); ++i) {
      EXPECT_EQ(floats[i], static_cast<float>(doubles[i]));
    }
  }
}

TEST(CorruptionTest, SaltAndPepperAreTheEndsOfTheSource) {
  const Corruption<double> corruption(kNoises[2], {.seed = 5, .low = -1, .high = 2});
  const std::vector<double> clean = Clean<double>();
  const std::vector<double> out = Corrupted(corruption, kRows);
  int64_t low = 0;
  int64_t high = 0;
  for (size_t i = 0; i < out.size(); ++i) {
    if (out[i] == -1) ++low;
    if (out[i] == 2) ++high;
    EXPECT_TRUE(out[i] == -1 || out[i] == 2 || out[i] == clean[i]);
  }
  // Each a fifth of 2220 entries, within five standard errors of 19.
  EXPECT_NEAR(static_cast<double>(low), 444, 95);
  EXPECT_NEAR(static_cast<double>(high), 444, 95);
}

TEST(CorruptionTest, OfNoKindDoesNothingAndIsNotToBeApplied) {
  const Corruption<float> none({}, {});
  EXPECT_TRUE(none.does_nothing());
  EXPECT_FALSE(Corruption<float>(kNoises[0], {}).does_nothing());
  EXPECT_THROW(Corrupted(none, kRows), Error);
}

}  // namespace
}  // namespace rhohat
