#include "formats/open_rows.h"

#include <gmock/gmock.h>

#include "tests/formats/test_files.h"
#include "tests/formats/test_rows.h"

namespace rhohat {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class OpenRowsTest : public testing::Test {
 protected:
  Format Told(std::string_view bytes) { return FormatOf(scratch_.Write("file.xyz", bytes), {}); }
  std::string MessageFor(std::string_view bytes) {
    const std::string path = scratch_.Write("file.npy", bytes);
    return MessageOf(ErrorKind::kBadData, [&] { OpenRows(path); });
  }
  std::string UsageOf(const InputOptions& options, const std::vector<Format>& formats) {
    return MessageOf(ErrorKind::kUsage, [&] { CheckOptionsApply(options, formats); });
  }

  ScratchFolder scratch_;
};

TEST_F(OpenRowsTest, TellsAFormatByContentWhateverTheName) {
  EXPECT_EQ(Told("\x89HDF\r\n\x1a\n and so on"), Format::kHdf5);
  EXPECT_EQ(Told(std::string(512, '\0') + "\x89HDF\r\n\x1a\n"), Format::kHdf5);
  EXPECT_EQ(Told("PK\x03\x04 and so on"), Format::kNpz);
  EXPECT_EQ(Told("\x93NUMPY\x01"), Format::kNpy);
  EXPECT_EQ(Told("\x89PNG\r\n\x1a\n"), Format::kPicture);
  EXPECT_EQ(Told(IdxFile(8, {2, 2}, "abcd")), Format::kIdx);
  EXPECT_EQ(Told("1.5,2\n3,4\n"), Format::kCsv);
  EXPECT_EQ(Told(Gzip("1.5,2\n3,4\n")), Format::kCsv);
  EXPECT_EQ(Told(Gzip(IdxFile(8, {2, 2}, "abcd"))), Format::kIdx);
}

TEST_F(OpenRowsTest, WhatTheUserSaysGoesBeforeTheContent) {
  const std::string path = scratch_.Write("file", "\x93NUMPY\x01");
  EXPECT_EQ(FormatOf(path, {.format = "raw"}), Format::kRaw);
  EXPECT_THAT(MessageOf(ErrorKind::kUsage, [&] { FormatOf(path, {.format = "numpy"}); }),
              AllOf(HasSubstr("--format"), HasSubstr("npz"), HasSubstr("'numpy'")));
}

TEST_F(OpenRowsTest, ListsWhatIsReadWhereTheFormatIsUnknown) {
  EXPECT_THAT(MessageFor(""), AllOf(HasSubstr("an empty file"), HasSubstr("--format raw")));
  EXPECT_THAT(MessageFor(std::string(1000, '\1')), HasSubstr("none of these"));
  EXPECT_THAT(MessageFor("BZh91AY&SY"), HasSubstr("unpack it first"));
  EXPECT_THAT(MessageFor("GIF89a..."), HasSubstr("save it as PNG"));
}

TEST_F(OpenRowsTest, AnOptionThatNoInputUnderstandsIsRefused) {
  EXPECT_THAT(UsageOf({.delimiter = "tab"}, {Format::kNpy}),
              AllOf(HasSubstr("--delimiter"), HasSubstr("csv")));
  EXPECT_THAT(UsageOf({.array = "x"}, {Format::kCsv, Format::kIdx}), HasSubstr("--array"));
  EXPECT_THAT(UsageOf({.patch = "8x8"}, {Format::kNpz}), HasSubstr("--patch"));
  EXPECT_NO_THROW(CheckOptionsApply({.array = "x"}, {Format::kIdx, Format::kNpz}));
}

TEST_F(OpenRowsTest, PatchesNeedACountAndACountNeedsPatches) {
  EXPECT_THAT(MessageOf(ErrorKind::kUsage, [] { OpenPictureRows({"x"}, {.patch = "8x8"}); }),
              HasSubstr("--count"));
  EXPECT_THAT(MessageOf(ErrorKind::kUsage, [] { OpenPictureRows({"x"}, {.count = 8}); }),
              HasSubstr("--patch"));
  EXPECT_THAT(MessageOf(ErrorKind::kUsage, [] { OpenPictureRows({"x"}, {.color = "blue"}); }),
              HasSubstr("--color"));
}

}  // namespace
}  // namespace rhohat
