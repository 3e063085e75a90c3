#include "formats/picture_source.h"

#include <gmock/gmock.h>

#include "tests/formats/encoded_pictures.h"
#include "tests/formats/test_rows.h"

namespace rhohat {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class PictureSourceTest : public testing::Test {
 protected:
  std::string Grey(const std::string& name, uint32_t height, uint32_t width,
                   const std::string& rows) {
    return scratch_.Write(name, PngFile({.width = width, .height = height, .rows = rows}));
  }
  std::string Rgb(const std::string& name, const std::string& rows) {
    return scratch_.Write(
        name, PngFile({.width = 1, .height = 1, .color_type = PNG_COLOR_TYPE_RGB, .rows = rows}));
  }

  ScratchFolder scratch_;
};

TEST_F(PictureSourceTest, EachPictureIsARowInTheOrderGiven) {
  const auto source =
      OpenPictures({Grey("b", 1, 2, "ab"), Grey("a", 1, 2, "cd"), Grey("c", 1, 2, "ef")}, {});
  EXPECT_EQ(source->rows(), 3);
  EXPECT_EQ(source->columns(), 2);
  EXPECT_EQ(source->type(), (ElementType{ElementKind::kUint8, false}));
  EXPECT_EQ(source->Locate(1), scratch_.Path("a"));
  for (const int64_t block : {1, 2, 3, 1}) {
    EXPECT_THAT(ReadAll(*source, block), ElementsAre('a', 'b', 'c', 'd', 'e', 'f'));
  }
}

TEST_F(PictureSourceTest, ColumnsAreHeightByWidthByChannels) {
  const PngSpec spec = {.width = 2,
                        .height = 2,
                        .bit_depth = 16,
                        .color_type = PNG_COLOR_TYPE_RGB,
                        .rows = Stored<uint16_t>({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 65535}, true)};
  const auto source = OpenPictures({scratch_.Write("a", PngFile(spec))}, {});
  EXPECT_EQ(source->type(), (ElementType{ElementKind::kUint16, false}));
  EXPECT_THAT(ReadAll(*source), ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 65535));
}

TEST_F(PictureSourceTest, PngAndJpegMayBeMixedAndColorsMadeAlike) {
  JpegSpec flat = WavyJpeg(1, 1, false);
  flat.rows = {100};
  const std::vector<std::string> files = {scratch_.Write("a.jpg", JpegFile(flat)),
                                          Rgb("b.png", "\x01\x02\x03")};
  EXPECT_THAT(ReadAll(*OpenPictures(files, {.color = PictureColor::kRgb})),
              ElementsAre(100, 100, 100, 1, 2, 3));
  EXPECT_THAT(ReadAll(*OpenPictures(files, {.color = PictureColor::kGrey})), ElementsAre(100, 2));
}

TEST_F(PictureSourceTest, PicturesOfAnotherShapeAreRefusedByName) {
  const auto message_for = [](const std::vector<std::string>& files) {
    return MessageOf(ErrorKind::kBadData, [&] { OpenPictures(files, {}); });
  };
  const std::string first = Grey("first", 1, 2, "ab");
  EXPECT_THAT(message_for({first, Grey("second", 2, 1, "ab")}),
              AllOf(HasSubstr("second: expected 1 × 2 × 1 of uint8 as in "), HasSubstr("first"),
                    HasSubstr("found 2 × 1 × 1 of uint8; from pictures of different sizes")));
  const std::string grey = Grey("grey", 1, 1, "a");
  EXPECT_THAT(message_for({grey, Rgb("rgb", "abc")}),
              HasSubstr("found 1 × 1 × 3 of uint8; --color rgb or --color grey"));
  const std::string wide =
      scratch_.Write("wide", PngFile({.width = 1, .height = 1, .bit_depth = 16, .rows = "ab"}));
  EXPECT_THAT(message_for({grey, wide}), HasSubstr("found 1 × 1 × 1 of uint16"));
}

TEST_F(PictureSourceTest, NoPictureIsAnErrorOfUse) {
  EXPECT_THAT(MessageOf(ErrorKind::kUsage, [] { OpenPictures({}, {}); }),
              HasSubstr("no picture was given"));
  MessageOf(ErrorKind::kNoInput, [&] { OpenPictures({scratch_.Path("none")}, {}); });
}

TEST_F(PictureSourceTest, APictureThatChangesUnderwayIsAnError) {
  const std::string path = Grey("a", 1, 2, "ab");
  const auto source = OpenPictures({path}, {});
  Grey("a", 2, 1, "ab");
  EXPECT_THAT(MessageOf(ErrorKind::kBadData, [&] { ReadAll(*source); }),
              HasSubstr("a: has changed while it was in use"));
}

TEST_F(PictureSourceTest, CountsBytesReadAndNeedsNoMoreMemoryForMorePictures) {
  const std::string path = Grey("a", 1, 2, "ab");
  const auto one = OpenPictures({path}, {});
  const auto many = OpenPictures(std::vector<std::string>(50, path), {});
  ReadAll(*many);
  EXPECT_EQ(many->bytes_read(), 50 * std::filesystem::file_size(path));
  EXPECT_EQ(many->UnpackBytes(), one->UnpackBytes());
  EXPECT_GT(many->UnpackBytes(), 0U);
  EXPECT_EQ(many->MaxRawBytes(10), 20U);
}

}  // namespace
}  // namespace rhohat
