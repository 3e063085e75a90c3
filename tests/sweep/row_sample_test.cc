#include "sweep/row_sample.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <set>
#include <string>
#include <vector>

#include "rhohat/error.h"
#include "sweep/sweep.h"
#include "tests/support/vector_source.h"

namespace rhohat {
namespace {

constexpr SweepOptions kPass{.block_rows = 64, .lanes = 4, .blocks_ahead = 6};

// Rows of a value that says which row it is, and in which column.
VectorSource Numbered(int64_t rows, int64_t columns) {
  std::vector<double> values;
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t column = 0; column < columns; ++column) {
      values.push_back(static_cast<double>(row) + static_cast<double>(column) / 16);
    }
  }
  return {rows, columns, std::move(values)};
}

HeldSample Gather(RowSource& source, int64_t rows, uint64_t seed = 1, int64_t threads = 2,
                  RowTransform<float>* transform = nullptr) {
  Executor executor(threads);
  return GatherSample<float>(source, executor, kPass, transform, {.seed = seed, .rows = rows});
}

// The rows of a source, as numbers.
std::vector<float> RowsOf(RowSource& source) {
  RawRows raw;
  FetchAndUnpack(source, {0, source.rows()}, raw);
  std::vector<float> rows(static_cast<size_t>(source.rows() * source.columns()));
  DecodeRows<float>(source, raw, rows);
  return rows;
}

// Columns 0 and 2 of a stored type of 16 bits that come in pieces of two columns.
class SmallSource final : public RowSource {
 public:
  int64_t rows() const override { return 40; }
  int64_t columns() const override { return 4; }
  ElementType type() const override { return {ElementKind::kUint16, true}; }
  size_t MaxRawBytes(int64_t count) const override { return static_cast<size_t>(count) * 8; }
  size_t ReaderBytes() const override { return 0; }
  std::string Locate(int64_t row) const override { return "row " + std::to_string(row); }
  uint64_t bytes_read() const override { return 0; }
  // Value 256·row + column, big-endian; columns 0 and 1 of all rows first, then columns 2 and 3.
  void Fetch(RowRange range, RawRows& out) override {
    out.Start(range);
    out.bytes.clear();
    for (const int64_t first : {0, 2}) {
      for (int64_t row = range.begin; row < range.end; ++row) {
        for (int64_t column = first; column < first + 2; ++column) {
          out.bytes.push_back(static_cast<std::byte>(row));
          out.bytes.push_back(static_cast<std::byte>(column));
        }
      }
    }
    for (const int64_t first : {0, 2}) {
      out.AddPiece({.type = type(),
                    .rows = range.size(),
                    .first_column = first,
                    .columns = 2,
                    .data = out.bytes.data() + first * range.size() * 2,
                    .row_stride = 4});
    }
  }
};

// Negates, and leaves out the last column.
class Negation final : public RowTransform<float> {
 public:
  Negation(int64_t columns, int64_t threads)
      : columns_(columns), results_(static_cast<size_t>(threads)) {}
  int64_t columns() const override { return columns_ - 1; }
  std::span<const float> Apply(std::span<const double> rows, int64_t count,
                               int64_t worker) override {
    std::vector<float>& result = results_[static_cast<size_t>(worker)];
    result.clear();
    for (int64_t row = 0; row < count; ++row) {
      for (int64_t column = 0; column < columns(); ++column) {
        result.push_back(static_cast<float>(-rows[static_cast<size_t>(row * columns_ + column)]));
      }
    }
    return result;
  }

 private:
  int64_t columns_;
  std::vector<std::vector<float>> results_;
};

TEST(RowSample, HoldsExactlyAsManyDifferentRowsAsWereAskedFor) {
  VectorSource source = Numbered(101, 3);
  for (const int64_t count : {1, 2, 37, 100, 101}) {
    const HeldSample held = Gather(source, count);
    EXPECT_EQ(std::set<int64_t>(held.numbers.begin(), held.numbers.end()).size(), count);
    EXPECT_EQ(held.rows(), count);
    SampledRows sample(held, {0, count});
    const std::vector<float> rows = RowsOf(sample);
    for (int64_t place = 0; place < count; ++place) {
      for (int64_t column = 0; column < 3; ++column) {
        EXPECT_EQ(rows[static_cast<size_t>(place * 3 + column)],
                  static_cast<float>(held.numbers[static_cast<size_t>(place)]) +
                      static_cast<float>(column) / 16);
      }
    }
  }
}

TEST(RowSample, ASmallerOneIsTheBeginningOfALarger) {
  VectorSource source = Numbered(300, 2);
  const HeldSample small = Gather(source, 20);
  const HeldSample large = Gather(source, 200);
  EXPECT_TRUE(std::equal(small.numbers.begin(), small.numbers.end(), large.numbers.begin()));
  SampledRows of_small(small, {0, 20}), of_large(large, {0, 20});
  EXPECT_EQ(RowsOf(of_small), RowsOf(of_large));
}

TEST(RowSample, IsTheSameOnAnyNumberOfThreads) {
  VectorSource source = Numbered(1000, 2);
  const HeldSample one = Gather(source, 333, 5, 1);
  for (const int64_t threads : {2, 4}) {
    const HeldSample several = Gather(source, 333, 5, threads);
    EXPECT_EQ(one.numbers, several.numbers);
    EXPECT_EQ(std::memcmp(one.bytes.data(), several.bytes.data(), one.bytes.size()), 0);
  }
}

TEST(RowSample, DependsOnTheSeed) {
  VectorSource source = Numbered(1000, 1);
  EXPECT_NE(Gather(source, 50, 1).numbers, Gather(source, 50, 2).numbers);
}

// Sorted by class, ten classes of a hundred rows: over fifty seeds a class has a tenth of the
// sample, within five standard deviations.
TEST(RowSample, HasItsShareOfEveryClassInSortedData) {
  VectorSource source = Numbered(1000, 1);
  Executor executor(1);
  std::vector<double> of_class(10);
  constexpr int64_t kSeeds = 50;
  constexpr int64_t kRows = 40;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    const HeldSample held =
        GatherSample<float>(source, executor, kPass, nullptr, {.seed = seed, .rows = kRows});
    for (const int64_t row : held.numbers) {
      of_class[static_cast<size_t>(row / 100)] += 1;
    }
  }
  const double expected = kSeeds * kRows / 10.0;
  for (const double count : of_class) EXPECT_NEAR(count, expected, 5 * std::sqrt(expected * 0.9));
}

TEST(RowSample, ReadsEveryRowOnceAndInOrder) {
  VectorSource source = Numbered(200, 3);
  std::vector<int64_t> begins;
  source.before_fetch = [&](RowRange range) { begins.push_back(range.begin); };
  Executor executor(2);
  SweepCounts counts;
  int64_t done = 0;
  const HeldSample held = GatherSample<float>(
      source, executor, kPass, nullptr,
      {.seed = 1, .rows = 30, .rows_done = [&](int64_t rows) { done = rows; }, .counts = &counts});
  EXPECT_EQ(begins.size(), 4);
  EXPECT_TRUE(std::is_sorted(begins.begin(), begins.end()));
  EXPECT_EQ(counts.rows, 200);
  EXPECT_EQ(counts.bytes_read, 200 * 3 * sizeof(double));
  EXPECT_EQ(done, 200);
}

TEST(RowSample, KeepsASmallStoredTypeAndItsPieces) {
  SmallSource source;
  const HeldSample held = Gather(source, 25);
  EXPECT_EQ(held.format.type, source.type());
  EXPECT_EQ(held.format.row_bytes, 8);
  SampledRows sample(held, {0, 25});
  const std::vector<float> rows = RowsOf(sample);
  for (size_t place = 0; place < 25; ++place) {
    for (size_t column = 0; column < 4; ++column) {
      EXPECT_EQ(rows[place * 4 + column],
                static_cast<float>(256 * held.numbers[place]) + static_cast<float>(column));
    }
  }
}

TEST(RowSample, HoldsTheNumbersComputedWithWhereStoredOnesAreLarger) {
  VectorSource source = Numbered(50, 3);
  const HeldSample held = Gather(source, 10);
  EXPECT_EQ(held.format.type, (ElementType{ElementKind::kFloat32, false}));
  EXPECT_EQ(held.format.MemoryBytes(10), 10 * (3 * sizeof(float) + sizeof(int64_t)));
}

TEST(RowSample, HoldsTransformedRows) {
  VectorSource source = Numbered(500, 3);
  for (const int64_t threads : {1, 3}) {
    Negation negation(3, threads);
    const HeldSample held = Gather(source, 77, 1, threads, &negation);
    EXPECT_EQ(held.numbers, Gather(source, 77).numbers);
    SampledRows sample(held, {0, 77});
    ASSERT_EQ(sample.columns(), 2);
    const std::vector<float> rows = RowsOf(sample);
    for (size_t place = 0; place < 77; ++place) {
      const auto number = static_cast<float>(held.numbers[place]);
      EXPECT_EQ(rows[2 * place], -number);
      EXPECT_EQ(rows[2 * place + 1], -number - 1.0F / 16);
    }
  }
}

TEST(RowSample, SaysWhereItsRowsCameFrom) {
  VectorSource source = Numbered(100, 1);
  const HeldSample held = Gather(source, 60);
  SampledRows part(held, {20, 60});
  EXPECT_EQ(part.rows(), 40);
  EXPECT_EQ(part.Locate(3), source.Locate(held.numbers[23]));
  const std::span<const int64_t> numbers = part.Numbers({5, 9});
  EXPECT_TRUE(std::equal(numbers.begin(), numbers.end(), held.numbers.begin() + 25,
                         held.numbers.begin() + 29));
}

TEST(RowSample, OnlyAValueThatIsInTheSampleHasToBeFinite) {
  VectorSource clean = Numbered(20, 2);
  const HeldSample held = Gather(clean, 10);
  for (int64_t row = 0; row < 20; ++row) {
    std::vector<double> values = clean.values();
    values[static_cast<size_t>(row * 2 + 1)] = std::nan("");
    VectorSource source(20, 2, values);
    const bool sampled =
        std::find(held.numbers.begin(), held.numbers.end(), row) != held.numbers.end();
    if (!sampled) {
      EXPECT_EQ(Gather(source, 10).numbers, held.numbers);
      continue;
    }
    try {
      Gather(source, 10);
      ADD_FAILURE() << "row " << row;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(clean.Locate(row)), std::string::npos)
          << error.what();
    }
  }
}

TEST(RowSample, StopsWhenAskedTo) {
  VectorSource source = Numbered(1000, 2);
  std::atomic<bool> stop = false;
  source.before_fetch = [&](RowRange range) { stop = range.begin > 100; };
  SweepOptions pass = kPass;
  pass.stop = &stop;
  Executor executor(2);
  EXPECT_THROW(GatherSample<float>(source, executor, pass, nullptr, {.seed = 1, .rows = 10}),
               Stopped);
}

TEST(RowSample, RefusesMoreRowsThanThereAre) {
  VectorSource source = Numbered(10, 1);
  EXPECT_THROW(Gather(source, 11), Error);
  EXPECT_THROW(Gather(source, 0), Error);
}

TEST(RowSample, MemoryThatDoesNotFitIsAnError) {
  const HeldFormat format = HeldFormat::Transformed<float>(int64_t{1} << 30);
  EXPECT_THROW(format.MemoryBytes(int64_t{1} << 40), Error);
}

}  // namespace
}  // namespace rhohat
