#include "formats/raw_source.h"

#include <gmock/gmock.h>

#include "tests/formats/test_rows.h"

namespace rhohat {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr ElementType kBytes = {ElementKind::kUint8, false};

class RawSourceTest : public testing::Test {
 protected:
  std::unique_ptr<RowSource> Open(const std::string& bytes, const RawOptions& options) {
    return OpenRaw(std::make_unique<FileStream>(scratch_.Write("file", bytes)), options);
  }

  std::string MessageFor(const std::string& bytes, const RawOptions& options,
                         ErrorKind kind = ErrorKind::kBadData) {
    const std::string message = MessageOf(kind, [&] { ReadAll(*Open(bytes, options)); });
    EXPECT_THAT(message, HasSubstr(scratch_.Path("file")));
    return message;
  }

  ScratchFolder scratch_;
};

TEST_F(RawSourceTest, CountsRowsFromTheSizePlainAndGzipped) {
  for (const bool big : {false, true}) {
    const std::string bytes = Stored<float>({1.5F, -2, 3, 4, 5, 6}, big);
    for (const std::string& file :
         {bytes, Gzip(bytes), Gzip(bytes.substr(0, 5)) + Gzip(bytes.substr(5))}) {
      const auto source = Open(file, {.type = {ElementKind::kFloat32, big}, .columns = 2});
      EXPECT_EQ(source->rows(), 3);
      EXPECT_EQ(source->columns(), 2);
      for (const int64_t block : {0, 1, 2}) {
        EXPECT_THAT(ReadAll(*source, block), ElementsAre(1.5, -2, 3, 4, 5, 6));
      }
    }
  }
}

TEST_F(RawSourceTest, SkipsWhatComesBeforeTheOffset) {
  for (const std::string& file : {std::string("headabcd"), Gzip("headabcd")}) {
    const auto source = Open(file, {.type = kBytes, .columns = 2, .offset = 4});
    for (const int64_t block : {1, 2}) {
      EXPECT_THAT(ReadAll(*source, block), ElementsAre('a', 'b', 'c', 'd'));
    }
  }
}

TEST_F(RawSourceTest, RefusesIncompleteRows) {
  for (const std::string& file : {std::string("headabcde"), Gzip("headabcde")}) {
    EXPECT_THAT(MessageFor(file, {.type = kBytes, .columns = 2, .offset = 4}),
                HasSubstr("expected rows of 2 bytes, for 2 columns of uint8, after 4 bytes, found "
                          "9 bytes in all: 2 rows and 1 bytes left over"));
  }
}

TEST_F(RawSourceTest, RefusesFilesWithoutARow) {
  for (const std::string& bytes : {std::string(), std::string("abc"), std::string("abcdef")}) {
    for (const std::string& file : {bytes, Gzip(bytes)}) {
      EXPECT_THAT(MessageFor(file, {.type = kBytes, .columns = 3, .offset = 4}),
                  HasSubstr("fewer than one row"));
    }
  }
}

TEST_F(RawSourceTest, RefusesImpossibleOptions) {
  EXPECT_THAT(MessageFor("abc", {.type = kBytes, .columns = 0}, ErrorKind::kUsage),
              HasSubstr("columns of at least 1, found 0"));
  EXPECT_THAT(MessageFor("abc", {.type = kBytes, .columns = 1, .offset = -1}, ErrorKind::kUsage),
              HasSubstr("found -1"));
  EXPECT_THAT(MessageFor("abc", {.type = {ElementKind::kFloat64, false}, .columns = INT64_MAX}),
              HasSubstr("too large"));
  EXPECT_THAT(MessageFor("abc", {.type = kBytes, .columns = INT64_MAX, .offset = INT64_MAX}),
              HasSubstr("too large"));
  EXPECT_THAT(MessageFor(Gzip("abc"), {.type = kBytes, .columns = 1, .offset = INT64_MAX - 1}),
              HasSubstr("fewer than one row"));
}

TEST_F(RawSourceTest, DamagedGzipDataIsNoticedBeforeTheFirstRow) {
  std::string packed = Gzip("abcdef");
  packed[packed.size() - 5] ^= 1;
  EXPECT_THAT(MessageOf(ErrorKind::kBadData, [&] { Open(packed, {.type = kBytes, .columns = 2}); }),
              HasSubstr("damaged"));
}

}  // namespace
}  // namespace rhohat
