#include "formats/idx_source.h"

#include <gmock/gmock.h>

#include "formats/open_rows.h"
#include "tests/formats/test_rows.h"

namespace rhohat {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;

constexpr int kUint8Code = 0x08;

std::string SmallIdx() {
  return IdxFile(kUint8Code, {3, 1, 2}, Stored<uint8_t>({1, 2, 3, 4, 5, 255}, false));
}

class IdxSourceTest : public testing::Test {
 protected:
  std::string MessageFor(const std::string& bytes) {
    const std::string path = scratch_.Write("file", bytes);
    const std::string message = MessageOf(ErrorKind::kBadData, [&] { ReadAll(*OpenRows(path)); });
    EXPECT_THAT(message, HasSubstr(path));
    return message;
  }

  template <class T>
  void ExpectReads(int code, ElementType type, const std::vector<T>& values) {
    const std::string path = scratch_.Write(
        "file", IdxFile(code, {2, static_cast<uint32_t>(values.size() / 2)}, Stored(values, true)));
    const auto source = OpenRows(path);
    EXPECT_EQ(source->type(), type);
    EXPECT_EQ(source->rows(), 2);
    EXPECT_THAT(ReadAll(*source),
                ElementsAreArray(std::vector<double>(values.begin(), values.end())));
  }

  ScratchFolder scratch_;
};

TEST_F(IdxSourceTest, ReadsEveryTypeOfTheFormat) {
  ExpectReads<uint8_t>(0x08, {ElementKind::kUint8, false}, {0, 1, 128, 255});
  ExpectReads<int8_t>(0x09, {ElementKind::kInt8, false}, {0, 1, -128, 127});
  ExpectReads<int16_t>(0x0B, {ElementKind::kInt16, true}, {0, 258, -32768, 32767});
  ExpectReads<int32_t>(0x0C, {ElementKind::kInt32, true}, {0, 16909060, INT32_MIN, INT32_MAX});
  ExpectReads<float>(0x0D, {ElementKind::kFloat32, true}, {0, 1.5F, -3e38F, 1e-40F});
  ExpectReads<double>(0x0E, {ElementKind::kFloat64, true}, {0, 0.1, -1e308, 5e-324});
}

TEST_F(IdxSourceTest, FlattensAllAxesButTheFirst) {
  const auto source = OpenRows(scratch_.Write("file", SmallIdx()));
  EXPECT_EQ(source->rows(), 3);
  EXPECT_EQ(source->columns(), 2);
  EXPECT_THAT(ReadAll(*source), ElementsAre(1, 2, 3, 4, 5, 255));
}

TEST_F(IdxSourceTest, ReadsGzipWhateverTheName) {
  const auto source = OpenRows(scratch_.Write("plainly-named.idx", Gzip(SmallIdx())));
  EXPECT_THAT(ReadAll(*source), ElementsAre(1, 2, 3, 4, 5, 255));
  const uint64_t before = source->bytes_read();
  ReadAll(*source);
  EXPECT_EQ(source->bytes_read() - before, Gzip(SmallIdx()).size());
}

TEST_F(IdxSourceTest, ReadsGzipOfSeveralMembers) {
  const std::string idx = SmallIdx();
  const auto source =
      OpenRows(scratch_.Write("file", Gzip(idx.substr(0, 7)) + Gzip("") + Gzip(idx.substr(7))));
  EXPECT_THAT(ReadAll(*source), ElementsAre(1, 2, 3, 4, 5, 255));
}

TEST_F(IdxSourceTest, GivesTheSameRowsForAnyBlockSizeInEveryPass) {
  const std::vector<double> rows = {1, 2, 3, 4, 5, 255};
  for (const std::string& bytes : {SmallIdx(), Gzip(SmallIdx())}) {
    const auto source = OpenRows(scratch_.Write("file", bytes));
    for (const int64_t block : {1, 2, 3, 1}) EXPECT_EQ(ReadAll(*source, block), rows);
  }
}

TEST_F(IdxSourceTest, APassMayStartAgainBeforeTheLastEnded) {
  const auto source = OpenRows(scratch_.Write("file", Gzip(SmallIdx())));
  RawRows raw;
  source->Fetch({0, 2}, raw);
  EXPECT_THAT(ReadAll(*source), ElementsAre(1, 2, 3, 4, 5, 255));
  FetchAndUnpack(*source, {1, 2}, raw);
  std::vector<double> row(2);
  DecodeRows<double>(*source, raw, row);
  EXPECT_THAT(row, ElementsAre(3, 4));
}

TEST_F(IdxSourceTest, LargeGzipSpansManyBuffers) {
  std::vector<int32_t> values(700'000);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<int32_t>(i * 2654435761U);
  const std::string idx = IdxFile(0x0C, {7000, 100}, Stored(values, true));
  const auto source = OpenRows(scratch_.Write("file", Gzip(idx)));
  EXPECT_EQ(ReadAll(*source, 999), std::vector<double>(values.begin(), values.end()));
}

TEST_F(IdxSourceTest, NamesRowsByFile) {
  const std::string path = scratch_.Write("file", SmallIdx());
  EXPECT_EQ(OpenRows(path)->Locate(2), path + " row 2");
}

TEST_F(IdxSourceTest, RefusesLabels) {
  EXPECT_THAT(MessageFor(IdxFile(kUint8Code, {3}, "abc")), HasSubstr("labels"));
}

TEST_F(IdxSourceTest, RefusesAxesOfLengthZero) {
  EXPECT_THAT(MessageFor(IdxFile(kUint8Code, {0, 2, 2}, "")), HasSubstr("axis 0 has length 0"));
  EXPECT_THAT(MessageFor(IdxFile(kUint8Code, {2, 0}, "")), HasSubstr("axis 1 has length 0"));
}

TEST_F(IdxSourceTest, RefusesUnknownTypes) {
  EXPECT_THAT(MessageFor(IdxFile(0x0A, {1, 1}, "a")), HasSubstr("found 0a"));
}

TEST_F(IdxSourceTest, RefusesOtherFirstBytes) {
  auto stream = std::make_unique<FileStream>(scratch_.Write("file", "GIF89a"));
  EXPECT_THAT(MessageOf(ErrorKind::kBadData, [&] { OpenIdx(std::move(stream)); }),
              HasSubstr("found 47 49 46 38"));
}

TEST_F(IdxSourceTest, SaysHowManyBytesAreMissingOrTooMany) {
  EXPECT_THAT(MessageFor(SmallIdx() + "x"), HasSubstr("expected 22 bytes"));
  EXPECT_THAT(MessageFor(SmallIdx() + "x"), HasSubstr("found 23"));
  EXPECT_THAT(MessageFor(SmallIdx().substr(0, 20)), HasSubstr("found 20: the file is cut short"));
  EXPECT_THAT(MessageFor(Gzip(SmallIdx() + "x")), HasSubstr("found more"));
  EXPECT_THAT(MessageFor(Gzip(SmallIdx().substr(0, 20))), HasSubstr("found 20"));
}

TEST_F(IdxSourceTest, RefusesEveryProperPrefix) {
  for (const std::string& whole : {SmallIdx(), Gzip(SmallIdx())}) {
    for (size_t size = 0; size < whole.size(); ++size) MessageFor(whole.substr(0, size));
  }
}

TEST_F(IdxSourceTest, DamagedGzipDataNeverGivesOtherRows) {
  const std::string whole = Gzip(SmallIdx());
  int noticed = 0;
  for (size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    std::string damaged = whole;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ 1 << bit % 8);
    const std::string path = scratch_.Write("file", damaged);
    try {
      EXPECT_THAT(ReadAll(*OpenRows(path)), ElementsAre(1, 2, 3, 4, 5, 255));
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kBadData);
      ++noticed;
    }
  }
  // The header holds a time and the like, whose damage does not matter, and the rest some padding.
  EXPECT_GT(noticed, static_cast<int>(8 * (whole.size() - 10) - 8));
}

TEST_F(IdxSourceTest, RefusesBytesAfterGzipData) {
  EXPECT_THAT(MessageFor(Gzip(SmallIdx()) + "more"), HasSubstr("not gzip"));
}

TEST_F(IdxSourceTest, RefusesSizesThatTheFileCannotHold) {
  const std::vector<uint32_t> huge(3, 0xFFFFFFFF);
  EXPECT_THAT(MessageFor(IdxFile(0x0E, huge, "x")), HasSubstr("too large"));
  EXPECT_THAT(MessageFor(Gzip(IdxFile(0x0E, huge, "x"))), HasSubstr("too large"));
  const std::string large = IdxFile(0x08, {1, 0x7FFFFFFF}, "x");
  EXPECT_THAT(MessageFor(large), HasSubstr("cut short"));
  EXPECT_THAT(MessageFor(Gzip(large)), HasSubstr("cannot hold"));
  EXPECT_THAT(MessageFor(IdxFile(0x08, std::vector<uint32_t>(255, 2), "x")),
              HasSubstr("too large"));
}

TEST_F(IdxSourceTest, DamagedHeadersNeverCrash) {
  const std::string whole = SmallIdx();
  for (size_t i = 0; i < 16; ++i) {
    for (int value = 0; value < 256; ++value) {
      std::string damaged = whole;
      damaged[i] = static_cast<char>(value);
      if (damaged == whole) continue;
      const std::string path = scratch_.Write("file", damaged);
      try {
        ReadAll(*OpenRows(path));
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kBadData);
      }
    }
  }
}

TEST_F(IdxSourceTest, MissingFilesAndFoldersAreNoInput) {
  const std::string missing = scratch_.Path("missing");
  EXPECT_THAT(MessageOf(ErrorKind::kNoInput, [&] { OpenRows(missing); }), HasSubstr(missing));
  EXPECT_THAT(MessageOf(ErrorKind::kNoInput, [&] { OpenRows(scratch_.Path("")); }),
              HasSubstr("folder"));
}

}  // namespace
}  // namespace rhohat
