#include "convert/bucket_file.h"

#include <gmock/gmock.h>
#include <sys/mman.h>
#include <unistd.h>

#include "convert/shuffled_source.h"
#include "tests/convert/shuffle_orders.h"
#include "tests/formats/test_rows.h"
#include "tests/support/file_size_limit.h"

namespace rhohat {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr ElementType kDouble = {ElementKind::kFloat64, false};

// Rows of doubles that say which row they are.
class BucketFileTest : public testing::Test {
 protected:
  static std::vector<double> Rows(RowRange range, int64_t columns) {
    std::vector<double> values;
    for (int64_t i = range.begin * columns; i < range.end * columns; ++i) {
      values.push_back(static_cast<double>(i));
    }
    return values;
  }

  std::vector<int64_t> Counts(int64_t rows, size_t buckets) const {
    std::vector<int64_t> counts(buckets, 0);
    CountRows(keys_, {0, rows}, counts, [] { return false; });
    return counts;
  }

  void Deal(BucketWriter& writer, RowRange range, int64_t columns) const {
    const std::vector<double> values = Rows(range, columns);
    writer.Append(range.begin, std::as_bytes(std::span(values)));
  }

  std::vector<double> InOrderOfKeys(int64_t rows, int64_t columns) const {
    std::vector<double> values;
    for (const int64_t row : SortedByKey(keys_, rows)) {
      const std::vector<double> one = Rows({row, row + 1}, columns);
      values.insert(values.end(), one.begin(), one.end());
    }
    return values;
  }

  ScratchFolder scratch_;
  ShuffleKeys keys_{9};
};

TEST_F(BucketFileTest, RegionsDoNotOverlapAndBeginAtPages) {
  const BucketLayout layout({3, 0, 1000, 1}, 12);
  EXPECT_EQ(layout.buckets(), 4U);
  EXPECT_EQ(layout.record_bytes(), 20U);
  EXPECT_EQ(layout.most_rows(), 1000);
  EXPECT_EQ(layout.first_row(2), 3);
  EXPECT_EQ(layout.first_row(4), 1004);
  EXPECT_EQ(layout.offset(1), 4096U);
  EXPECT_EQ(layout.offset(2), 4096U);
  EXPECT_EQ(layout.offset(3), 4096U + 20480);
  EXPECT_EQ(layout.file_bytes(), 4096U + 20480 + 4096);
  EXPECT_EQ(layout.BucketAt(0), 0U);
  EXPECT_EQ(layout.BucketAt(3), 2U);  // not 1, which is empty
  EXPECT_EQ(layout.BucketAt(1003), 3U);
}

// Rows smaller and larger than a buffer, buckets that stay empty, one bucket for all.
TEST_F(BucketFileTest, OrderIsThatOfTheKeysWhateverTheBucketsAndBuffers) {
  struct Case {
    int64_t rows;
    int64_t columns;
    size_t buckets;
    size_t buffer_bytes;
  };
  for (const Case& c : {Case{2000, 1, 7, 4096}, Case{2000, 1, 1, 8192}, Case{50, 700, 3, 4096},
                        Case{30, 3, 100, 4096}, Case{1, 5, 1, 4096}, Case{500, 64, 4, 16384}}) {
    const BucketLayout layout(Counts(c.rows, c.buckets), static_cast<size_t>(c.columns) * 8);
    const BucketFile file = BucketFile::Create(scratch_.Path("buckets"), layout.file_bytes());
    BucketWriter writer(file, layout, keys_, std::vector<int64_t>(c.buckets, 0), c.buffer_bytes);
    Deal(writer, {0, c.rows / 2}, c.columns);
    Deal(writer, {c.rows / 2, c.rows}, c.columns);
    writer.WriteOut();
    ShuffledSource source(file, layout, keys_, kDouble);
    EXPECT_EQ(source.rows(), c.rows);
    EXPECT_EQ(source.columns(), c.columns);
    for (const int64_t block : {int64_t{0}, int64_t{7}}) {
      EXPECT_EQ(ReadAll(source, block), InOrderOfKeys(c.rows, c.columns)) << c.buckets;
    }
  }
}

TEST_F(BucketFileTest, AWriterGoesOnFromAnyRowWhateverTheFileHoldsBehindIt) {
  constexpr int64_t kRows = 300;
  constexpr int64_t kColumns = 20;
  const BucketLayout layout(Counts(kRows, 5), kColumns * 8);
  for (const int64_t done : {0, 1, 37, 150, 299, 300}) {
    const BucketFile file = BucketFile::Create(scratch_.Path("buckets"), layout.file_bytes());
    const std::vector<std::byte> garbage(layout.file_bytes(), std::byte{0xA5});
    file.WriteAt(0, garbage);
    BucketWriter first(file, layout, keys_, std::vector<int64_t>(5, 0), 4096);
    Deal(first, {0, done}, kColumns);
    first.WriteOut();
    BucketWriter second(file, layout, keys_, Counts(done, 5), 8192);
    Deal(second, {done, kRows}, kColumns);
    second.WriteOut();
    ShuffledSource source(file, layout, keys_, kDouble);
    EXPECT_EQ(ReadAll(source, 64), InOrderOfKeys(kRows, kColumns)) << done;
  }
}

TEST_F(BucketFileTest, EveryPermutationOfFourRowsIsEquallyLikely) {
  std::vector<int64_t> counts(24, 0);
  constexpr size_t kBuckets = 3;
  const int memory = ::memfd_create("buckets", MFD_CLOEXEC);  // so many files would wear a disk
  const std::string path = "/proc/self/fd/" + std::to_string(memory);
  for (uint64_t seed = 0; seed < 4800; ++seed) {
    keys_ = ShuffleKeys(seed);
    const BucketLayout layout(Counts(4, kBuckets), 8);
    const BucketFile file = BucketFile::Create(path, layout.file_bytes());
    BucketWriter writer(file, layout, keys_, std::vector<int64_t>(kBuckets, 0), 4096);
    Deal(writer, {0, 4}, 1);
    writer.WriteOut();
    ShuffledSource source(file, layout, keys_, kDouble);
    const std::vector<double> values = ReadAll(source);
    ++counts[RankOf({values.begin(), values.end()})];
  }
  ::close(memory);
  EXPECT_LT(ChiSquare(counts), 23 + 5 * 6.8);  // five standard deviations
}

TEST_F(BucketFileTest, RowsThatAreMissingOrInAWrongBucketAreNoticed) {
  const BucketLayout layout(Counts(100, 4), 8);
  const std::string path = scratch_.Path("buckets");
  RawRows raw;
  const BucketFile empty = BucketFile::Create(path, layout.file_bytes());
  ShuffledSource holes(empty, layout, keys_, kDouble);
  EXPECT_THAT(MessageOf(ErrorKind::kBadData,
                        [&] {
                          holes.Fetch({0, 1}, raw);
                        }),
              AllOf(HasSubstr(path), HasSubstr("--restart")));
  BucketWriter writer(empty, layout, ShuffleKeys(10), std::vector<int64_t>(4, 0), 4096);
  Deal(writer, {0, 100}, 1);
  writer.WriteOut();
  ShuffledSource strange(empty, layout, keys_, kDouble);
  EXPECT_THAT(MessageOf(ErrorKind::kBadData,
                        [&] {
                          strange.Fetch({0, 100}, raw);
                        }),
              HasSubstr("damaged"));
}

TEST_F(BucketFileTest, AFileOfAnotherSizeIsRefused) {
  const std::string path = scratch_.Write("buckets", "123");
  EXPECT_THAT(MessageOf(ErrorKind::kBadData, [&] { BucketFile::Open(path, 4096); }),
              HasSubstr("expected 4096 bytes, found 3"));
  EXPECT_THAT(
      MessageOf(ErrorKind::kBadData, [&] { BucketFile::Open(scratch_.Path("none"), 4096); }),
      HasSubstr("No such file"));
}

TEST_F(BucketFileTest, AFullDiskIsNoticedBeforeARowIsWritten) {
  const FileSizeLimit limit(10'000);
  EXPECT_THAT(
      MessageOf(ErrorKind::kIo, [&] { BucketFile::Create(scratch_.Path("buckets"), 20'480); }),
      AllOf(HasSubstr("cannot reserve 20.0 KiB"), HasSubstr("too large")));
}

}  // namespace
}  // namespace rhohat
