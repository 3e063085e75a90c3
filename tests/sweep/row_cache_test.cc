// Rows that stay in memory between passes: the same bits, less reading.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <limits>
#include <set>
#include <thread>

#include "data/data_set.h"
#include "rhohat/error.h"
#include "sweep/kept_blocks.h"
#include "sweep/sweep.h"
#include "tests/support/hdf5_rows.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/vector_source.h"

namespace rhohat {
namespace {

using testing::HasSubstr;

constexpr int64_t kBlockRows = 10;
constexpr uint64_t kAmple = uint64_t{1} << 30;

SweepOptions Options(uint64_t cache_bytes) {
  return {.block_rows = kBlockRows, .lanes = 4, .blocks_ahead = 5, .cache_bytes = cache_bytes};
}

// Each lane's values in the order in which they came.
template <class T>
struct Values {
  std::vector<T> values;
  std::vector<int64_t> blocks;
  void Clear() {
    values.clear();
    blocks.clear();
  }
  void Add(const Values& other) {
    values.insert(values.end(), other.values.begin(), other.values.end());
    blocks.insert(blocks.end(), other.blocks.begin(), other.blocks.end());
  }
};

template <class T>
Values<T> Pass(Sweep<T>& sweep) {
  std::vector<Values<T>> lanes(4);
  return sweep.Run(std::span(lanes), [](const Block<T>& block, Values<T>& lane) {
    lane.blocks.push_back(block.index);
    lane.values.insert(lane.values.end(), block.rows.begin(), block.rows.end());
  });
}

template <class T>
bool SameBits(const Values<T>& a, const Values<T>& b) {
  return a.blocks == b.blocks &&
         std::ranges::equal(std::as_bytes(std::span(a.values)), std::as_bytes(std::span(b.values)));
}

// A row becomes its values' squares and their sum, but for the last of them.
template <class T>
class Squares : public RowTransform<T> {
 public:
  Squares(int64_t inputs, int64_t outputs, int64_t workers)
      : inputs_(inputs), outputs_(outputs), results_(static_cast<size_t>(workers)) {}
  int64_t columns() const override { return outputs_; }
  std::span<const T> Apply(std::span<const double> rows, int64_t count, int64_t worker) override {
    ++applied;
    std::vector<T>& result = results_[static_cast<size_t>(worker)];
    result.clear();
    for (int64_t row = 0; row < count; ++row) {
      for (int64_t column = 0; column < outputs_; ++column) {
        const double value = rows[static_cast<size_t>(row * inputs_ + column % inputs_)];
        result.push_back(static_cast<T>(value * value + static_cast<double>(column)));
      }
    }
    return result;
  }

  std::atomic<int64_t> applied = 0;

 private:
  int64_t inputs_;
  int64_t outputs_;
  std::vector<std::vector<T>> results_;
};

// Passes with nothing kept, some and all are the same, and so is each after the first.
template <class T>
void ExpectSameBits(RowSource& source, int64_t transform_columns = 0) {
  Executor executor(3);
  Squares<T> transform(source.columns(), transform_columns, 3);
  RowTransform<T>* const used = transform_columns > 0 ? &transform : nullptr;
  Sweep<T> plain(source, executor, Options(0), used);
  EXPECT_FALSE(plain.keeps(0));
  const Values<T> expected = Pass(plain);
  for (const uint64_t cache_bytes : {1000, 20000, 33333, 50000, 1 << 30}) {
    Sweep<T> sweep(source, executor, Options(cache_bytes), used);
    EXPECT_LE(sweep.cache_bytes(), cache_bytes);
    for (int pass = 0; pass < 3; ++pass) EXPECT_TRUE(SameBits(Pass(sweep), expected));
  }
}

TEST(RowCacheTest, NoBitDependsOnWhatIsKept) {
  VectorSource source = VectorSource::Random(1003, 7, 1);
  ExpectSameBits<double>(source);
  ExpectSameBits<float>(source);
}

TEST(RowCacheTest, NoBitDependsOnWhatIsKeptOfTransformedRows) {
  VectorSource source = VectorSource::Random(1003, 7, 2);
  for (const int64_t columns : {3, 7, 9}) {
    ExpectSameBits<double>(source, columns);
    ExpectSameBits<float>(source, columns);
  }
}

template <class Stored>
std::vector<Stored> Numbers(int64_t count, int64_t seed) {
  std::vector<Stored> values(static_cast<size_t>(count));
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<Stored>((i * 7919 + static_cast<size_t>(seed)) % 251);
  }
  return values;
}

// 1007 rows of 6 columns, contiguous and in chunks.
template <class Stored>
void ExpectSameBitsOf(ElementKind kind) {
  const TemporaryFolder folder;
  const std::vector<Stored> values = Numbers<Stored>(1007 * 6, 3);
  WriteRows<Stored>(folder / "flat.h5", {kind, false}, 6, values);
  WriteRows<Stored>(folder / "chunked.h5", {kind, false}, 6, values, 33);
  for (const char* const name : {"flat.h5", "chunked.h5"}) {
    DataSet data({.files = {folder / name}});
    ExpectSameBits<float>(data);
    ExpectSameBits<double>(data);
    ExpectSameBits<float>(data, 4);
  }
}

TEST(RowCacheTest, NoBitDependsOnWhatIsKeptOfAnyStoredType) {
  ExpectSameBitsOf<uint8_t>(ElementKind::kUint8);
  ExpectSameBitsOf<uint16_t>(ElementKind::kFloat16);
  ExpectSameBitsOf<int16_t>(ElementKind::kInt16);
  ExpectSameBitsOf<float>(ElementKind::kFloat32);
  ExpectSameBitsOf<double>(ElementKind::kFloat64);
}

TEST(RowCacheTest, NoBitDependsOnWhatIsKeptOfFilesOfDifferentTypes) {
  const TemporaryFolder folder;
  WriteRows<uint8_t>(folder / "a.h5", {ElementKind::kUint8, false}, 6, Numbers<uint8_t>(606, 1));
  WriteRows<float>(folder / "b.h5", {ElementKind::kFloat32, false}, 6, Numbers<float>(1212, 2), 17);
  WriteRows<uint8_t>(folder / "c.h5", {ElementKind::kUint8, false}, 6, Numbers<uint8_t>(660, 3));
  DataSet mixed({.files = {folder / "a.h5", folder / "b.h5", folder / "c.h5"}});
  ExpectSameBits<float>(mixed);
  ExpectSameBits<double>(mixed);
  ExpectSameBits<float>(mixed, 5);
  DataSet alike({.files = {folder / "a.h5", folder / "c.h5"}});
  ExpectSameBits<float>(alike);
}

TEST(RowCacheTest, ARowIsKeptAsStoredWhereThatIsSmaller) {
  const auto bytes = [](ElementKind kind, bool big_endian = false) {
    return Sweep<float>::KeptRowBytes({kind, big_endian}, 10, 0);
  };
  EXPECT_EQ(bytes(ElementKind::kUint8), 10U);
  EXPECT_EQ(bytes(ElementKind::kFloat16), 20U);
  EXPECT_EQ(bytes(ElementKind::kFloat32), 40U);
  EXPECT_EQ(bytes(ElementKind::kFloat64), 40U);
  EXPECT_EQ(Sweep<double>::KeptRowBytes({ElementKind::kFloat32, true}, 10, 0), 40U);
  EXPECT_EQ(Sweep<double>::KeptRowBytes({ElementKind::kInt64, true}, 10, 0), 80U);
  EXPECT_EQ(Sweep<double>::KeptRowBytes({ElementKind::kUint8, false}, 10, 3), 24U);
  EXPECT_EQ(Sweep<float>::KeptRowBytes({ElementKind::kFloat64, false}, 10, 12), 48U);
}

TEST(RowCacheTest, RowsThatFitAreReadOnce) {
  const TemporaryFolder folder;
  WriteRows<uint8_t>(folder / "a.h5", {ElementKind::kUint8, false}, 6, Numbers<uint8_t>(6006, 4),
                     33);
  DataSet data({.files = {folder / "a.h5"}});
  Executor executor(2);
  const CacheShape shape{.rows = 1001,
                         .block_rows = kBlockRows,
                         .parcel_rows = data.ParcelRows(),
                         .row_bytes = Sweep<float>::KeptRowBytes(data.type(), 6, 0)};
  Sweep<float> sweep(data, executor, Options(KeptBlocks::BytesForAll(shape)));
  Pass(sweep);
  const uint64_t once = sweep.counts().bytes_read;
  EXPECT_GT(once, 0U);
  for (int pass = 0; pass < 3; ++pass) Pass(sweep);
  EXPECT_EQ(sweep.counts().bytes_read, once);
  EXPECT_EQ(sweep.counts().rows, 4 * 1001);
  EXPECT_EQ(sweep.cache_bytes(), BlockCache(shape, KeptBlocks::BytesForAll(shape)).bytes());
}

TEST(RowCacheTest, ATransformIsAppliedOnceToRowsThatAreKept) {
  VectorSource source = VectorSource::Random(203, 5, 5);
  Executor executor(2);
  Squares<float> transform(5, 2, 2);
  Sweep<float> sweep(source, executor, Options(kAmple), &transform);
  for (int pass = 0; pass < 3; ++pass) Pass(sweep);
  EXPECT_EQ(transform.applied, 21);
  EXPECT_EQ(sweep.counts().bytes_read, 203U * 5 * sizeof(double));
}

// Bytes that a pass after the first reads, with so many bytes for the cache.
uint64_t BytesOfSecondPass(RowSource& source, uint64_t cache_bytes) {
  Executor executor(2);
  Sweep<float> sweep(source, executor, Options(cache_bytes));
  std::vector<Values<float>> lanes(4);
  const auto nothing = [](const Block<float>&, Values<float>&) {};
  sweep.Run(std::span(lanes), nothing);
  const uint64_t first = sweep.counts().bytes_read;
  sweep.Run(std::span(lanes), nothing);
  return sweep.counts().bytes_read - first;
}

// What later passes read falls with each tenth of the budget, by no more than three tenths.
void ExpectNoCliff(RowSource& source) {
  const uint64_t all = KeptBlocks::BytesForAll(
      {.rows = source.rows(),
       .block_rows = kBlockRows,
       .parcel_rows = source.ParcelRows(),
       .row_bytes = Sweep<float>::KeptRowBytes(source.type(), source.columns(), 0)});
  const uint64_t whole = BytesOfSecondPass(source, 0);
  uint64_t before = whole;
  for (uint64_t step = 1; step <= 10; ++step) {
    const uint64_t bytes = BytesOfSecondPass(source, all * step / 10);
    EXPECT_LT(bytes, before) << step << " of 10";
    EXPECT_LT(before - bytes, whole * 3 / 10) << step << " of 10";
    before = bytes;
  }
  EXPECT_EQ(before, 0U);
}

TEST(RowCacheTest, WhatIsReadFallsWithEachStepOfTheBudget) {
  VectorSource source = VectorSource::Random(6003, 30, 12);
  ExpectNoCliff(source);
}

TEST(RowCacheTest, ChunksAreNotReadThatLieInKeptBlocks) {
  const TemporaryFolder folder;
  // Chunks that blocks are parts of, and chunks that they cut.
  for (const int64_t chunk_rows : {120, 123}) {
    const std::string path = folder / std::to_string(chunk_rows);
    WriteRows<uint8_t>(path, {ElementKind::kUint8, false}, 2200, Numbers<uint8_t>(2400 * 2200, 5),
                       chunk_rows);
    DataSet data({.files = {path}});
    EXPECT_EQ(data.ParcelRows(), chunk_rows);
    ExpectNoCliff(data);
  }
}

TEST(RowCacheTest, OnlyBlocksThatAreNotKeptAreAskedForAgain) {
  VectorSource source = VectorSource::Random(1000, 3, 6);
  std::set<int64_t> fetched;
  source.before_fetch = [&](RowRange range) { fetched.insert(range.begin / kBlockRows); };
  Executor executor(2);
  Sweep<float> sweep(source, executor, Options(14000));
  Pass(sweep);
  EXPECT_EQ(fetched.size(), 100U);
  fetched.clear();
  Pass(sweep);
  int64_t kept = 0;
  for (int64_t block = 0; block < 100; ++block) {
    EXPECT_NE(sweep.keeps(block), fetched.contains(block)) << block;
    kept += sweep.keeps(block) ? 1 : 0;
  }
  EXPECT_GT(kept, 20);
  EXPECT_LT(kept, 80);
}

TEST(RowCacheTest, NativeRowsAreHandedOutWhereTheyAreKept) {
  const TemporaryFolder folder;
  WriteRows<float>(folder / "a.h5", {ElementKind::kFloat32, false}, 6, Numbers<float>(606, 1));
  DataSet data({.files = {folder / "a.h5"}});
  Executor executor(2);
  Sweep<float> sweep(data, executor, Options(kAmple));
  Pass(sweep);
  std::vector<const float*> places(11);
  std::vector<Values<float>> lanes(4);
  for (int pass = 0; pass < 2; ++pass) {
    sweep.Run(std::span(lanes), [&](const Block<float>& block, Values<float>&) {
      const float*& place = places[static_cast<size_t>(block.index)];
      EXPECT_TRUE(pass == 0 || block.rows.data() == place) << block.index;
      place = block.rows.data();
    });
  }
  EXPECT_EQ(std::set<const float*>(places.begin(), places.end()).size(), places.size());
}

TEST(RowCacheTest, OrderedResultsAreTheSame) {
  VectorSource source = VectorSource::Random(501, 2, 7);
  for (const uint64_t cache_bytes : {uint64_t{0}, uint64_t{11000}, kAmple}) {
    Executor executor(3);
    Sweep<double> sweep(source, executor, Options(cache_bytes));
    for (int pass = 0; pass < 2; ++pass) {
      std::vector<double> written;
      sweep.RunOrdered<double>(
          2,
          [](const Block<double>& block, std::span<double> out) {
            if (block.index % 7 == 0) std::this_thread::sleep_for(std::chrono::microseconds(200));
            std::ranges::copy(block.rows, out.begin());
          },
          [&](RowRange range, std::span<const double> rows) {
            EXPECT_EQ(static_cast<size_t>(range.begin) * 2, written.size());
            written.insert(written.end(), rows.begin(), rows.end());
          });
      EXPECT_EQ(written, source.values());
    }
  }
}

TEST(RowCacheTest, ProgressIsToldOfKeptRowsToo) {
  VectorSource source = VectorSource::Random(95, 1, 8);
  Executor executor(2);
  Sweep<float> sweep(source, executor, Options(kAmple));
  std::vector<int64_t> told;
  sweep.set_rows_done([&](int64_t done) { told.push_back(done); });
  for (int pass = 0; pass < 2; ++pass) {
    told.clear();
    Pass(sweep);
    EXPECT_EQ(told.size(), 10U);
    EXPECT_EQ(told.back(), 95);
  }
}

// Sums and sources that fail in the given pass, at the given block; the pass after must be as good
// as if there had been no failure.
void ExpectAsGoodAsNewAfter(int64_t failing_pass, uint64_t cache_bytes, bool in_fetch) {
  VectorSource source = VectorSource::Random(600, 2, 9);
  Executor executor(3);
  Sweep<float> plain(source, executor, Options(0));
  const Values<float> expected = Pass(plain);
  Sweep<float> sweep(source, executor, Options(cache_bytes));
  for (int64_t pass = 0; pass < failing_pass; ++pass) Pass(sweep);
  const auto fail = [](int64_t block) {
    if (block >= 31) throw Error(ErrorKind::kBadData, std::to_string(block));
  };
  if (in_fetch) source.before_fetch = [&](RowRange range) { fail(range.begin / kBlockRows); };
  std::vector<Values<float>> lanes(4);
  EXPECT_THROW(sweep.Run(std::span(lanes),
                         [&](const Block<float>& block, Values<float>&) {
                           if (!in_fetch) fail(block.index);
                         }),
               Error);
  source.before_fetch = nullptr;
  for (int pass = 0; pass < 2; ++pass) EXPECT_TRUE(SameBits(Pass(sweep), expected));
}

TEST(RowCacheTest, APassThatFailsLeavesNothingHalfKept) {
  for (const uint64_t cache_bytes : {uint64_t{11000}, kAmple}) {
    for (const int64_t failing_pass : {0, 1, 2}) {
      ExpectAsGoodAsNewAfter(failing_pass, cache_bytes, false);
    }
    ExpectAsGoodAsNewAfter(0, cache_bytes, true);
  }
}

TEST(RowCacheTest, TheFailureOfTheLowestKeptBlockIsTheOneReported) {
  VectorSource source = VectorSource::Random(600, 1, 10);
  Executor executor(3);
  Sweep<float> sweep(source, executor, Options(kAmple));
  for (int repeat = 0; repeat < 10; ++repeat) {
    Pass(sweep);
    std::vector<Values<float>> lanes(4);
    try {
      sweep.Run(std::span(lanes), [](const Block<float>& block, Values<float>&) {
        if (block.index == 40) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        if (block.index >= 40) throw Error(ErrorKind::kBadData, std::to_string(block.index));
      });
      FAIL() << "nothing was thrown";
    } catch (const Error& error) {
      EXPECT_STREQ(error.what(), "40");
    }
  }
}

TEST(RowCacheTest, AValueThatIsNotFiniteIsNamedInEveryPass) {
  std::vector<double> values(100, 1.0);
  values[37] = std::numeric_limits<double>::infinity();
  VectorSource source(50, 2, values);
  Executor executor(2);
  Sweep<double> sweep(source, executor, Options(kAmple));
  for (int pass = 0; pass < 2; ++pass) {
    try {
      Pass(sweep);
      FAIL() << "nothing was thrown";
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("memory row 18, column 1"));
    }
  }
}

TEST(RowCacheTest, StopsBetweenKeptBlocksWhenAsked) {
  VectorSource source = VectorSource::Random(100000, 1, 11);
  std::atomic<bool> stop = false;
  std::atomic<int64_t> blocks = 0;
  Executor executor(2);
  SweepOptions options = Options(kAmple);
  options.stop = &stop;
  Sweep<float> sweep(source, executor, options);
  Pass(sweep);
  std::vector<Values<float>> lanes(4);
  const auto stop_at_ten = [&](const Block<float>&, Values<float>&) {
    if (++blocks == 10) stop = true;
  };
  EXPECT_THROW(sweep.Run(std::span(lanes), stop_at_ten), Stopped);
  EXPECT_LT(blocks, 30);
  stop = false;
  EXPECT_EQ(Pass(sweep).values.size(), 100000U);
}

}  // namespace
}  // namespace rhohat
