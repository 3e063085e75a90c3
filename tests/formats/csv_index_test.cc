#include "formats/csv_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <random>
#include <vector>

namespace rhohat {
namespace {

// The most text of `count` consecutive rows, by trying all of them.
uint64_t MostByTrying(const std::vector<size_t>& rows, size_t count) {
  count = std::min(count, rows.size());
  uint64_t sum =
      std::accumulate(rows.begin(), rows.begin() + static_cast<ptrdiff_t>(count), uint64_t{0});
  uint64_t most = sum;
  for (size_t end = count; end < rows.size(); ++end) {
    sum += rows[end] - rows[end - count];
    most = std::max(most, sum);
  }
  return most;
}

CsvIndex IndexOf(const std::vector<size_t>& rows) {
  CsvIndex index;
  int64_t line = 1;
  for (const size_t bytes : rows) index.Add(bytes, line++);
  return index;
}

TEST(CsvIndexTest, BoundsTheTextOfAnyConsecutiveRows) {
  std::mt19937_64 random(3);
  for (const size_t row_count : {1, 2, 5, 100, 4096, 4097, 20'000, 40'000}) {
    std::vector<size_t> rows(row_count);
    for (size_t& bytes : rows) bytes = random() % 50 == 0 ? random() % 5000 : random() % 10;
    const CsvIndex index = IndexOf(rows);
    for (const size_t count : {1, 2, 3, 7, 64, 1000, 4095, 30'000, 50'000}) {
      const uint64_t most = MostByTrying(rows, count);
      const uint64_t bound = index.MostTextBytes(static_cast<int64_t>(count));
      EXPECT_GE(bound, most) << row_count << " " << count;
      EXPECT_LE(bound, index.text_bytes());
      if (row_count <= 4096) {
        EXPECT_EQ(bound, most) << row_count << " " << count;
      }
    }
  }
}

TEST(CsvIndexTest, TakesNoMoreMemoryForMoreRows) {
  const CsvIndex index = IndexOf(std::vector<size_t>(300'000, 3));
  EXPECT_EQ(index.rows(), 300'000);
  EXPECT_LE(index.MemoryBytes(), size_t{64} << 10);
  EXPECT_LE(index.MostTextBytes(1000), 3000U);
}

TEST(CsvIndexTest, NoticesOtherTextAtEveryMarkAndAtTheEnd) {
  const CsvIndex index = IndexOf(std::vector<size_t>(10'000, 3));
  for (const int64_t row : {0, 4, 8000, 10'000}) {
    EXPECT_FALSE(index.Contradicts(row, static_cast<uint64_t>(3 * row))) << row;
    EXPECT_TRUE(index.Contradicts(row, static_cast<uint64_t>(3 * row + 1))) << row;
  }
  EXPECT_TRUE(index.Contradicts(10'001, 30'003));
}

TEST(CsvIndexTest, KnowsTheLineOfARowOrSaysThatItDoesNot) {
  constexpr int64_t kRows = 20'000;
  CsvIndex index;
  std::vector<int64_t> lines;
  for (int64_t row = 0; row < kRows; ++row) {
    // One blank line far in.
    lines.push_back(row + (row < 9999 ? 2 : 3));
    index.Add(1, lines.back());
  }
  int64_t unknown = 0;
  for (int64_t row = 0; row < kRows; ++row) {
    const std::optional<int64_t> line = index.LineOf(row);
    if (!line) {
      ++unknown;
      continue;
    }
    EXPECT_EQ(*line, lines[static_cast<size_t>(row)]);
  }
  EXPECT_GT(unknown, 0);
  EXPECT_LT(unknown, 20);
  EXPECT_EQ(index.LineOf(kRows), std::nullopt);
}

}  // namespace
}  // namespace rhohat
