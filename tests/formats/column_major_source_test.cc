#include "formats/column_major_source.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "tests/formats/test_rows.h"

namespace rhohat {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kHeader = "head";

// Element (r, i, j, …) as the number that its place in C order is; stored first axis fastest.
std::vector<int32_t> StoredFortran(const std::vector<int64_t>& shape) {
  int64_t count = 1;
  for (const int64_t length : shape) count *= length;
  std::vector<int32_t> stored;
  std::vector<int64_t> index(shape.size(), 0);
  for (int64_t n = 0; n < count; ++n) {
    int64_t place = 0;
    for (size_t axis = 0; axis < shape.size(); ++axis) place = place * shape[axis] + index[axis];
    stored.push_back(static_cast<int32_t>(place));
    for (size_t axis = 0; axis < shape.size() && ++index[axis] == shape[axis]; ++axis) {
      index[axis] = 0;
    }
  }
  return stored;
}

class ColumnMajorSourceTest : public testing::Test {
 protected:
  std::unique_ptr<ColumnMajorSource> Open(const std::string& bytes, const RowLayout& layout,
                                          std::vector<int64_t> axes = {}) {
    const std::string path = scratch_.Write("file", bytes);
    return std::make_unique<ColumnMajorSource>(std::make_unique<FileStream>(path), layout,
                                               std::move(axes), scratch_.Path(""));
  }

  RowLayout LayoutOf(ElementKind kind, int64_t rows, int64_t columns) {
    return {
        .type = {kind, false}, .rows = rows, .columns = columns, .header_bytes = kHeader.size()};
  }

  template <class T>
  void ExpectTransposes(ElementKind kind, int64_t rows, int64_t columns) {
    std::vector<T> stored;
    std::vector<double> expected(static_cast<size_t>(rows * columns));
    for (int64_t c = 0; c < columns; ++c) {
      for (int64_t r = 0; r < rows; ++r) {
        const auto value = static_cast<T>((r * 31 + c * 7) % 100);
        stored.push_back(value);
        expected[static_cast<size_t>(r * columns + c)] = static_cast<double>(value);
      }
    }
    const auto source =
        Open(std::string(kHeader) + Stored(stored, false), LayoutOf(kind, rows, columns));
    for (const int64_t block : {int64_t{0}, int64_t{1}, int64_t{5}, rows - 1}) {
      EXPECT_EQ(ReadAll(*source, block), expected) << rows << " × " << columns << " by " << block;
    }
  }

  ScratchFolder scratch_;
};

TEST_F(ColumnMajorSourceTest, GivesRowsForEverySizeOfElementAndOddShapes) {
  for (const auto& [rows, columns] : {std::pair<int64_t, int64_t>{1, 1},
                                      {1, 9},
                                      {9, 1},
                                      {15, 17},
                                      {16, 16},
                                      {65, 33},
                                      {64, 300},
                                      {130, 257}}) {
    ExpectTransposes<uint8_t>(ElementKind::kUint8, rows, columns);
    ExpectTransposes<int16_t>(ElementKind::kInt16, rows, columns);
    ExpectTransposes<float>(ElementKind::kFloat32, rows, columns);
    ExpectTransposes<double>(ElementKind::kFloat64, rows, columns);
  }
}

TEST_F(ColumnMajorSourceTest, FlattensManyAxesInCOrder) {
  for (const std::vector<int64_t>& shape :
       {std::vector<int64_t>{3, 4, 5}, {2, 3, 1, 4, 2}, {5, 1, 6}, {1, 2, 3}, {4, 2, 2, 2, 2, 2}}) {
    const std::vector<int32_t> stored = StoredFortran(shape);
    const int64_t columns = std::ssize(stored) / shape[0];
    for (const bool packed : {false, true}) {
      const std::string bytes = std::string(kHeader) + Stored(stored, false);
      const auto source =
          Open(packed ? Gzip(bytes) : bytes, LayoutOf(ElementKind::kInt32, shape[0], columns),
               {shape.begin() + 1, shape.end()});
      for (const int64_t block : {0, 1, 2}) {
        EXPECT_EQ(ReadAll(*source, block), Counting(stored.size()));
      }
    }
  }
}

TEST_F(ColumnMajorSourceTest, BlocksMayBeReadAndUnpackedByManyThreadsInAnyOrder) {
  constexpr int64_t kRows = 400;
  constexpr int64_t kColumns = 50;
  constexpr int64_t kBlock = 10;
  const auto source = Open(std::string(kHeader) + Stored(StoredFortran({kRows, kColumns}), false),
                           LayoutOf(ElementKind::kInt32, kRows, kColumns));
  std::vector<RawRows> blocks(kRows / kBlock);
  for (int64_t i = 0; i < std::ssize(blocks); ++i) {
    source->Fetch({i * kBlock, (i + 1) * kBlock}, blocks[static_cast<size_t>(i)]);
  }
  std::vector<double> values(kRows * kColumns);
  std::atomic<size_t> next = blocks.size();
  const auto work = [&] {
    for (size_t left = next--; left > 0 && left <= blocks.size(); left = next--) {
      RawRows& raw = blocks[left - 1];
      source->Read(raw);
      source->Unpack(raw);
      DecodeRows<double>(
          *source, raw,
          std::span(values).subspan((left - 1) * kBlock * kColumns, kBlock * kColumns));
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(values, Counting(values.size()));
  EXPECT_EQ(source->bytes_read(), values.size() * 4);
}

TEST_F(ColumnMajorSourceTest, PiecesPointNowhereBeforeUnpack) {
  const auto source = Open(std::string(kHeader) + "abcdef", LayoutOf(ElementKind::kUint8, 3, 2));
  RawRows raw;
  source->Fetch({0, 3}, raw);
  source->Read(raw);
  EXPECT_EQ(raw.pieces.front().data, nullptr);
}

TEST_F(ColumnMajorSourceTest, ReadsFromTheMiddleOfAFile) {
  const std::string path = scratch_.Write("file", "headabcdefrest");
  const auto open = [&](int64_t rows) {
    return ColumnMajorSource(
        std::make_unique<InputFile>(::open(path.c_str(), O_RDONLY | O_CLOEXEC), path),
        LayoutOf(ElementKind::kUint8, rows, 2));
  };
  ColumnMajorSource source = open(3);
  EXPECT_THAT(ReadAll(source), ElementsAre('a', 'd', 'b', 'e', 'c', 'f'));
  EXPECT_THAT(MessageOf(ErrorKind::kBadData, [&] { open(6); }),
              HasSubstr("expected 16 bytes, for 6 rows × 2 columns of uint8, found 14"));
}

TEST_F(ColumnMajorSourceTest, SizesMustAgreeWithTheLayout) {
  const RowLayout layout = LayoutOf(ElementKind::kUint8, 3, 2);
  const auto message = [&](const std::string& bytes) {
    return MessageOf(ErrorKind::kBadData, [&] { ReadAll(*Open(bytes, layout)); });
  };
  EXPECT_THAT(message("headabcde"), HasSubstr("found 9: the file is cut short"));
  EXPECT_THAT(message("headabcdefg"), HasSubstr("found 11: the file goes on"));
  EXPECT_THAT(message(Gzip("headabcde")), HasSubstr("found 5: the file is cut short"));
  EXPECT_THAT(message(Gzip("headabcdefg")), HasSubstr("found more"));
  const std::string packed = Gzip("headabcdef");
  EXPECT_THAT(message(packed.substr(0, packed.size() - 2)), HasSubstr("cut short"));
  EXPECT_EQ(scratch_.FileCount(), 1U);
  EXPECT_THAT(
      MessageOf(ErrorKind::kBadData,
                [&] { Open(Gzip("head"), LayoutOf(ElementKind::kFloat64, 1, int64_t{1} << 60)); }),
      HasSubstr("too large"));
}

TEST_F(ColumnMajorSourceTest, AFileThatIsCutWhileItIsReadIsNoticed) {
  const auto source = Open("headabcdef", LayoutOf(ElementKind::kUint8, 3, 2));
  scratch_.Write("other", "");
  ASSERT_EQ(::truncate(scratch_.Path("file").c_str(), 7), 0);
  EXPECT_THAT(MessageOf(ErrorKind::kBadData, [&] { ReadAll(*source); }), HasSubstr("is cut short"));
}

TEST_F(ColumnMajorSourceTest, TruthValuesMustBeZeroOrOne) {
  RowLayout layout = LayoutOf(ElementKind::kUint8, 2, 2);
  layout.truth_values = true;
  EXPECT_THAT(MessageOf(ErrorKind::kBadData,
                        [&] { ReadAll(*Open(std::string("head\0\1\7\1", 8), layout)); }),
              HasSubstr("row 0, column 1: expected 0 or 1 of a boolean, found 7"));
}

TEST_F(ColumnMajorSourceTest, SaysHowManyRowsMakeAGoodBlock) {
  const auto source = Open("headabcdef", LayoutOf(ElementKind::kUint8, 3, 2));
  EXPECT_EQ(source->ParcelRows(), 3);
  EXPECT_EQ(source->MaxRawBytes(3), 12U);
  EXPECT_GT(source->readers(), 1);
}

TEST_F(ColumnMajorSourceTest, RefusesRowsThatThereAreNot) {
  const auto source = Open("headabcdef", LayoutOf(ElementKind::kUint8, 3, 2));
  RawRows raw;
  EXPECT_THAT(MessageOf(ErrorKind::kInternal,
                        [&] {
                          source->Fetch({2, 4}, raw);
                        }),
              HasSubstr("rows 2 to 4 of 3"));
}

}  // namespace
}  // namespace rhohat
