#include "convert/shuffle_plan.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/convert/shuffle_orders.h"

namespace rhohat {
namespace {

bool Never() { return false; }

TEST(ShufflePlanTest, BucketsAreEqualPartsOfTheKeysAndAscend) {
  constexpr uint64_t kLast = std::numeric_limits<uint64_t>::max();
  for (const size_t buckets : {size_t{1}, size_t{2}, size_t{3}, size_t{192}, size_t{1} << 40}) {
    EXPECT_EQ(BucketOf(0, buckets), 0U);
    EXPECT_EQ(BucketOf(kLast, buckets), buckets - 1);
  }
  EXPECT_EQ(BucketOf(kLast / 2, 2), 0U);
  EXPECT_EQ(BucketOf(kLast / 2 + 1, 2), 1U);
  size_t last = 0;
  for (uint64_t key = 0; key < kLast - (kLast >> 10); key += kLast >> 10) {
    const size_t bucket = BucketOf(key, 37);
    EXPECT_GE(bucket, last);
    last = bucket;
  }
}

TEST(ShufflePlanTest, CountsOfPartsAddUpToCountsOfTheWhole) {
  const ShuffleKeys keys(11);
  std::vector<int64_t> whole(7, 0);
  std::vector<int64_t> parts(7, 0);
  EXPECT_TRUE(CountRows(keys, {0, 1000}, whole, Never));
  for (const RowRange range : {RowRange{0, 1}, RowRange{1, 400}, RowRange{400, 1000}}) {
    EXPECT_TRUE(CountRows(keys, range, parts, Never));
  }
  EXPECT_EQ(parts, whole);
  EXPECT_EQ(std::accumulate(whole.begin(), whole.end(), int64_t{0}), 1000);
}

TEST(ShufflePlanTest, CountingStopsWhenAsked) {
  std::vector<int64_t> counts(3, 0);
  EXPECT_FALSE(CountRows(ShuffleKeys(1), {0, int64_t{1} << 60}, counts, [] { return true; }));
}

TEST(ShufflePlanTest, TiesHaveOneOrder) {
  const ShuffleKeys keys(3);
  int before = 0;
  for (int64_t row = 0; row < 1000; ++row) {
    EXPECT_NE(keys.TieBefore(row, row + 1), keys.TieBefore(row + 1, row));
    EXPECT_FALSE(keys.TieBefore(row, row));
    before += keys.TieBefore(row, row + 1) ? 1 : 0;
  }
  EXPECT_NEAR(before, 500, 80);  // five standard deviations: neither order is favoured
}

// The limits below are the mean and five standard deviations of χ² with k degrees of freedom.
double HighestChiSquare(double k) { return k + 5 * std::sqrt(2 * k); }

TEST(ShufflePlanTest, EveryPermutationOfFiveRowsIsEquallyLikely) {
  std::vector<int64_t> counts(120, 0);
  for (uint64_t seed = 0; seed < 60'000; ++seed) {
    ++counts[RankOf(SortedByKey(ShuffleKeys(seed), 5))];
  }
  EXPECT_LT(ChiSquare(counts), HighestChiSquare(119));
  EXPECT_GT(ChiSquare(counts), 119 - 5 * std::sqrt(2 * 119));  // chance, not a pattern
}

TEST(ShufflePlanTest, EveryRowComesToEveryPlaceEquallyOften) {
  constexpr int64_t kRows = 50;
  std::vector<int64_t> counts(kRows * kRows, 0);
  for (uint64_t seed = 0; seed < 5000; ++seed) {
    const std::vector<int64_t> order = SortedByKey(ShuffleKeys(seed << 32), kRows);
    for (size_t place = 0; place < order.size(); ++place) {
      ++counts[place * kRows + static_cast<size_t>(order[place])];
    }
  }
  EXPECT_LT(ChiSquare(counts), HighestChiSquare((kRows - 1) * (kRows - 1)));
}

TEST(ShufflePlanTest, NeighboursAreTornApart) {
  constexpr int64_t kRows = 20'000;
  const std::vector<int64_t> order = SortedByKey(ShuffleKeys(4), kRows);
  int still_neighbours = 0;
  double sum = 0;
  for (size_t i = 0; i + 1 < order.size(); ++i) {
    still_neighbours += std::abs(order[i] - order[i + 1]) == 1 ? 1 : 0;
    const double middle = (kRows - 1) / 2.0;
    sum += (static_cast<double>(order[i]) - middle) * (static_cast<double>(order[i + 1]) - middle);
  }
  EXPECT_LE(still_neighbours, 10);  // 2 are expected
  const double variance = static_cast<double>(kRows) * kRows / 12;
  EXPECT_LT(std::abs(sum / (variance * kRows)), 5 / std::sqrt(kRows));  // their correlation
}

}  // namespace
}  // namespace rhohat
