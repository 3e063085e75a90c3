// Batches of real sources: exactly once, in one order, in bounded memory, errors included.
#include "sweep/batch_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <limits>
#include <numeric>
#include <thread>
#include <utility>
#include <vector>

#include "data/data_set.h"
#include "rhohat/error.h"
#include "tests/support/hdf5_rows.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/vector_source.h"

namespace rhohat {
namespace {

using testing::HasSubstr;

constexpr int64_t kRows = 3000;
constexpr int64_t kColumns = 256;  // 128 rows a unit

// Row i holds i, i + 0.25, i + 0.5, …
std::vector<double> Numbered(int64_t rows = kRows) {
  std::vector<double> values;
  for (int64_t i = 0; i < rows * kColumns; ++i) {
    values.push_back(static_cast<double>(i / kColumns) + static_cast<double>(i % 4) / 4);
  }
  return values;
}

VectorSource Source() { return {kRows, kColumns, Numbered()}; }

constexpr SweepOptions kSweep{.block_rows = 64, .lanes = 2, .blocks_ahead = 4};

using Epoch = std::vector<std::vector<int64_t>>;

// The rest of the epoch: the rows' numbers, batch by batch. Their values are checked.
template <class T>
Epoch Rest(BatchStream<T>& stream, double scale = 1) {
  Epoch batches;
  while (stream.Next()) {
    const auto numbers = stream.numbers();
    const auto columns = static_cast<size_t>(stream.columns());
    std::vector<T> rows(numbers.size() * columns);
    const auto half = static_cast<int64_t>(numbers.size() / 2);
    const auto split = static_cast<size_t>(half) * columns;
    stream.CopyRows({0, half}, std::span(rows).first(split));
    stream.CopyRows({half, std::ssize(numbers)}, std::span(rows).subspan(split));
    for (size_t i = 0; i < rows.size(); ++i) {
      const double exact =
          static_cast<double>(numbers[i / columns]) + static_cast<double>(i % 4) / 4;
      if (rows[i] == static_cast<T>(scale * exact)) continue;
      ADD_FAILURE() << "row " << numbers[i / columns] << ": " << rows[i];
      return batches;
    }
    batches.emplace_back(numbers.begin(), numbers.end());
  }
  return batches;
}

Epoch EpochOf(int64_t epoch, const BatchStreamOptions& options, int64_t threads = 2) {
  VectorSource source = Source();
  Executor executor(threads);
  BatchStream<double> stream(source, executor, options, kSweep);
  stream.Start(epoch, 1);
  return Rest(stream);
}

BatchStreamOptions Options(int64_t mix_rows, int64_t batch_rows = 70) {
  return {.seed = 5, .batch_rows = batch_rows, .mix_rows = mix_rows};
}

constexpr int64_t kWindows[] = {1, 100, 1000, kRows - 1, kRows, 10 * kRows};

TEST(BatchStreamTest, EveryRowComesOnceAnEpochAndTheShortBatchLast) {
  for (const int64_t mix_rows : kWindows) {
    for (const int64_t batch_rows : {1, 70, 1000, 5000}) {
      if (batch_rows == 1 && mix_rows != 100) continue;
      const Epoch epoch = EpochOf(0, Options(mix_rows, batch_rows));
      std::vector<int64_t> all;
      for (size_t i = 0; i < epoch.size(); ++i) {
        const bool last = i + 1 == epoch.size();
        const int64_t rest = (kRows - 1) % batch_rows + 1;
        EXPECT_EQ(std::ssize(epoch[i]), last ? rest : batch_rows);
        all.insert(all.end(), epoch[i].begin(), epoch[i].end());
      }
      std::ranges::sort(all);
      std::vector<int64_t> expected(kRows);
      std::iota(expected.begin(), expected.end(), 0);
      EXPECT_EQ(all, expected) << mix_rows << " " << batch_rows;
    }
  }
}

TEST(BatchStreamTest, OrderIsAFunctionOfSeedEpochAndOptions) {
  for (const int64_t mix_rows : kWindows) {
    const Epoch epoch = EpochOf(1, Options(mix_rows));
    for (const int64_t threads : {1, 3}) EXPECT_EQ(EpochOf(1, Options(mix_rows), threads), epoch);
    EXPECT_NE(EpochOf(2, Options(mix_rows)), epoch);
    BatchStreamOptions other = Options(mix_rows);
    other.seed = 6;
    EXPECT_NE(EpochOf(1, other), epoch);
  }
}

TEST(BatchStreamTest, EpochsInOneGoAreThoseOneByOne) {
  for (const int64_t mix_rows : kWindows) {
    VectorSource source = Source();
    Executor executor(2);
    BatchStream<double> stream(source, executor, Options(mix_rows), kSweep);
    stream.Start(3, 3);
    for (int64_t epoch = 3; epoch < 6; ++epoch) {
      EXPECT_EQ(stream.epoch(), epoch);
      EXPECT_EQ(Rest(stream), EpochOf(epoch, Options(mix_rows)));
    }
  }
}

TEST(BatchStreamTest, GoesOnFromAnyBatch) {
  for (const int64_t mix_rows : kWindows) {
    const Epoch whole = EpochOf(4, Options(mix_rows));
    for (const int64_t done : {1, 2, 17, 30, 41, 42}) {
      VectorSource source = Source();
      Executor executor(2);
      BatchStream<double> stream(source, executor, Options(mix_rows), kSweep);
      stream.Start(4, 2, done * 70);
      EXPECT_EQ(stream.rows_done(), done * 70);
      EXPECT_EQ(Rest(stream), Epoch(whole.begin() + done, whole.end())) << mix_rows << " " << done;
      EXPECT_EQ(Rest(stream), EpochOf(5, Options(mix_rows)));
    }
  }
}

TEST(BatchStreamTest, WhatIsHeldIsReadOnce) {
  VectorSource source = Source();
  Executor executor(2);
  BatchStream<double> stream(source, executor, Options(kRows), kSweep);
  stream.Start(0, 3);
  EXPECT_TRUE(stream.holds_all());
  for (int epoch = 0; epoch < 3; ++epoch) Rest(stream);
  EXPECT_EQ(stream.bytes_read(), static_cast<uint64_t>(kRows * kColumns) * sizeof(double));
}

TEST(BatchStreamTest, AWindowIsReadOnceAnEpoch) {
  VectorSource source = Source();
  Executor executor(2);
  BatchStream<double> stream(source, executor, Options(500), kSweep);
  stream.Start(0, 3);
  EXPECT_FALSE(stream.holds_all());
  for (int epoch = 0; epoch < 3; ++epoch) Rest(stream);
  EXPECT_EQ(stream.bytes_read(), static_cast<uint64_t>(3 * kRows * kColumns) * sizeof(double));
}

// The reader may be a window, three batches and a unit for each thread ahead, and no more.
TEST(BatchStreamTest, ReadingStopsWhereMemoryEnds) {
  VectorSource source = Source();
  std::atomic<int64_t> fetched = 0;
  source.before_fetch = [&](RowRange range) { fetched += range.size(); };
  Executor executor(2);
  BatchStream<double> stream(source, executor, Options(500), kSweep);
  stream.Start(0, 1);
  int64_t taken = 0;
  for (int batch = 0; batch < 8; ++batch) {
    ASSERT_TRUE(stream.Next());
    taken += std::ssize(stream.numbers());
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    EXPECT_LE(fetched, taken + 500 + 3 * 70 + 3 * stream.unit_rows());
  }
}

TEST(BatchStreamTest, LargestWindowFitsTheBudget) {
  const VectorSource source = Source();
  const BatchStreamOptions options = Options(0);
  constexpr uint64_t kRow = kColumns * sizeof(double);
  const auto most = [&](uint64_t bytes) {
    return BatchStream<double>::MostMixRows(source, options, 0, 2, bytes);
  };
  EXPECT_EQ(most(uint64_t{1} << 40), kRows);
  EXPECT_EQ(most(kRows * kRow + 1000), kRows);
  EXPECT_EQ(most(0), 1);
  for (const uint64_t bytes : {3 << 20, 4 << 20, 5 << 20}) {
    BatchStreamOptions chosen = options;
    chosen.mix_rows = most(bytes);
    EXPECT_GT(chosen.mix_rows, 1);
    EXPECT_LT(chosen.mix_rows, kRows);
    EXPECT_LE(BatchStream<double>::MemoryBytes(source, chosen, 0, 2), bytes);
    ++chosen.mix_rows;
    EXPECT_GT(BatchStream<double>::MemoryBytes(source, chosen, 0, 2), bytes);
  }
}

TEST(BatchStreamTest, MixingIsReported) {
  const auto units = [&](int64_t mix_rows) {
    VectorSource source = Source();
    Executor executor(1);
    BatchStream<double> stream(source, executor, Options(mix_rows), kSweep);
    stream.Start(0, 1);
    Rest(stream);
    return stream.units_per_batch();
  };
  EXPECT_LT(units(1), 2.5);
  EXPECT_GT(units(500), 6);
  EXPECT_GT(units(kRows), 20);  // of 24, by 70 rows
}

// ---- Rows in other types, and transformed ------------------------------------------------------

class Doubled : public RowTransform<double> {
 public:
  int64_t columns() const override { return kColumns; }
  std::span<const double> Apply(std::span<const double> rows, int64_t, int64_t worker) override {
    std::vector<double>& out = out_[static_cast<size_t>(worker)];
    out.assign(rows.begin(), rows.end());
    for (double& value : out) value *= 2;
    return out;
  }

 private:
  std::vector<double> out_[2];
};

TEST(BatchStreamTest, RowsAreTransformed) {
  for (const int64_t mix_rows : {500L, kRows}) {
    VectorSource source = Source();
    Executor executor(2);
    Doubled transform;
    BatchStream<double> stream(source, executor, Options(mix_rows), kSweep, &transform);
    stream.Start(0, 1);
    EXPECT_EQ(Rest(stream, 2), EpochOf(0, Options(mix_rows)));
  }
}

TEST(BatchStreamTest, HeldRowsAreASourceThatReadsNothing) {
  VectorSource source = Source();
  Executor executor(2);
  Doubled transform;
  BatchStream<double> plain(source, executor, Options(kRows), kSweep);
  BatchStream<double> doubled(source, executor, Options(kRows), kSweep, &transform);
  plain.Start(0, 1);
  doubled.Start(0, 1);
  const uint64_t bytes_read = source.bytes_read();
  std::vector<double> rows(300 * kColumns);
  for (const auto& [stream, scale] : {std::pair(&plain, 1), std::pair(&doubled, 2)}) {
    RowSource& held = *stream->held_rows();
    EXPECT_EQ(held.rows(), kRows);
    EXPECT_EQ(held.Locate(7), source.Locate(7));
    RawRows raw;
    FetchAndUnpack(held, {1000, 1300}, raw);
    DecodeRows(held, raw, std::span(rows));
    EXPECT_EQ(rows.front(), 1000 * scale);
    EXPECT_EQ(rows.back(), (1299 + 0.75) * scale);
  }
  EXPECT_EQ(source.bytes_read(), bytes_read);
  BatchStream<double> window(source, executor, Options(100), kSweep);
  EXPECT_EQ(window.held_rows(), nullptr);
}

// Files of filtered chunks, whose parcels no unit of the second is aligned with, in a type smaller
// than the one asked for.
TEST(BatchStreamTest, RowsOfSeveralFilesAreAsTheirNumbers) {
  const TemporaryFolder folder;
  const std::vector<double> numbered = Numbered(1500);
  const std::vector<float> values(numbered.begin(), numbered.end());
  const auto split = values.begin() + 801 * kColumns;
  const ElementType type{ElementKind::kFloat32, false};
  WriteRows(folder / "a.h5", type, kColumns, std::vector<float>(values.begin(), split), 7);
  WriteRows(folder / "b.h5", type, kColumns, std::vector<float>(split, values.end()), 50);
  for (const int64_t mix_rows : {1, 300, 1499, 1500}) {
    for (const int64_t threads : {1, 4}) {
      DataSet source(DataOptions{.files = {folder / "a.h5", folder / "b.h5"}});
      Executor executor(threads);
      BatchStream<double> stream(source, executor, Options(mix_rows, 400), kSweep);
      stream.Start(0, 2);
      EXPECT_EQ(Rest(stream).size(), 4);
      EXPECT_EQ(Rest(stream).size(), 4);
      EXPECT_EQ(stream.holds_all(), mix_rows == 1500);
    }
  }
}

// ---- What goes wrong ---------------------------------------------------------------------------

template <class T>
std::string Failure(RowSource& source, int64_t mix_rows, int64_t threads) {
  Executor executor(threads);
  try {
    BatchStream<T> stream(source, executor, Options(mix_rows), kSweep);
    stream.Start(0, 1);
    Rest(stream);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(BatchStreamTest, ValuesThatAreNotFiniteAreNamed) {
  std::vector<double> values = Numbered();
  values[1234 * kColumns + 7] = std::numeric_limits<double>::quiet_NaN();
  for (const int64_t mix_rows : {500L, kRows}) {
    VectorSource source(kRows, kColumns, values);
    EXPECT_THAT(Failure<double>(source, mix_rows, 2),
                HasSubstr("memory row 1234, column 7: the value is NaN"));
  }
}

TEST(BatchStreamTest, ErrorsOfReadingReachTheCallerAfterTheBatchesBefore) {
  for (const int64_t threads : {1, 4}) {
    VectorSource source = Source();
    int units = 0;
    source.before_fetch = [&](RowRange) {
      if (++units == 10) throw Error(ErrorKind::kIo, "the disk is gone");
    };
    Executor executor(threads);
    BatchStream<double> stream(source, executor, Options(100), kSweep);
    stream.Start(0, 1);
    int64_t taken = 0;
    try {
      while (stream.Next()) taken += std::ssize(stream.numbers());
      FAIL();
    } catch (const Error& error) {
      EXPECT_STREQ(error.what(), "the disk is gone");
    }
    // Nine units, of which the window keeps 100 rows and the last batch is not whole.
    EXPECT_GT(taken, 8 * 128 - 100 - 70 - 128);
    EXPECT_LE(taken, 9 * 128 - 100);
  }
}

TEST(BatchStreamTest, StopsWhenAsked) {
  for (const int64_t mix_rows : {500L, kRows}) {
    VectorSource source = Source();
    Executor executor(2);
    std::atomic<bool> stop = false;
    SweepOptions sweep = kSweep;
    sweep.stop = &stop;
    BatchStream<double> stream(source, executor, Options(mix_rows), sweep);
    stream.Start(0, 1);
    ASSERT_TRUE(stream.Next());
    stop = true;
    EXPECT_THROW(stream.Next(), Stopped) << "even where a batch is ready";
  }
}

TEST(BatchStreamTest, CanBeLeftInTheMiddle) {
  for (const int64_t threads : {1, 4}) {
    VectorSource source = Source();
    Executor executor(threads);
    BatchStream<double> stream(source, executor, Options(100), kSweep);
    for (int i = 0; i < 5; ++i) {
      stream.Start(i, 1);
      ASSERT_TRUE(stream.Next());
    }
  }
}

}  // namespace
}  // namespace rhohat
