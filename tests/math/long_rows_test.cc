#include "math/long_rows.h"

#include <gtest/gtest.h>

#include <vector>

namespace rhohat {
namespace {

constexpr int64_t kWidths[] = {1,   2,   7,   16,   25,   64,   100, 196,
                               500, 511, 784, 1023, 1024, 1025, 5000};

TEST(LongRows, NarrowRowsFillRegistersAndWideOnesStandAlone) {
  for (const int64_t columns : kWidths) {
    const int64_t together = RowsTogether(columns);
    EXPECT_GE(together, 1);
    EXPECT_TRUE(together == 1 || together * columns <= 1024) << columns;
    EXPECT_TRUE(columns > 64 || together * columns % 16 == 0) << columns;
    EXPECT_TRUE(columns <= 512 || together == 1) << columns;
  }
}

TEST(LongRows, EveryValueIsInOneOfThem) {
  for (const int64_t columns : kWidths) {
    for (const int64_t rows : {0, 1, 2, 31, 100}) {
      int64_t next = 0;
      ForEachLongRow(rows, columns, [&](int64_t first, int64_t count) {
        EXPECT_EQ(first, next);
        EXPECT_EQ(first % columns, 0);
        EXPECT_EQ(count % columns, 0);
        next += count;
      });
      EXPECT_EQ(next, rows * columns);
    }
  }
}

TEST(LongRows, ARepeatedRowIsItselfAgainAndAgain) {
  const std::vector<int> row = {1, 2, 3};
  std::vector<int> repeated(9);
  RepeatRow(std::span(row), std::span(repeated));
  EXPECT_EQ(repeated, (std::vector<int>{1, 2, 3, 1, 2, 3, 1, 2, 3}));
}

// Of whole numbers, so that any order gives the same.
TEST(LongRows, SumsAreThoseOfTheColumnsOnTopOfWhatWasThere) {
  for (const int64_t columns : kWidths) {
    for (const int64_t rows : {1, 2, 31, 100}) {
      std::vector<double> scratch(static_cast<size_t>(RowsTogether(columns) * columns), -1);
      std::vector<double> sums(static_cast<size_t>(columns), 0.5);
      AddLongRows(rows, columns, scratch, sums.data(),
                  [](int64_t first, int64_t count, double* long_sums) {
                    for (int64_t j = 0; j < count; ++j) {
                      long_sums[j] += static_cast<double>(first + j);
                    }
                  });
      for (int64_t j = 0; j < columns; ++j) {
        const int64_t sum = rows * j + columns * (rows * (rows - 1) / 2);
        EXPECT_EQ(sums[static_cast<size_t>(j)], 0.5 + static_cast<double>(sum));
      }
    }
  }
}

}  // namespace
}  // namespace rhohat
