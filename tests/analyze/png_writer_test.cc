#include "analyze/png_writer.h"

#include "base/atomic_file.h"
#include "rhohat/error.h"
#include "tests/analyze/picture_files.h"

namespace rhohat {
namespace {

Picture Gradient(int64_t width, int64_t height, int64_t channels) {
  Picture picture = {.width = width, .height = height, .channels = channels, .pixels = {}};
  picture.pixels.resize(static_cast<size_t>(width * height * channels));
  for (size_t i = 0; i < picture.pixels.size(); ++i) {
    picture.pixels[i] = static_cast<uint8_t>(i * i * 7 + i);
  }
  return picture;
}

class PngWriterTest : public PictureTest {};

TEST_F(PngWriterTest, GreyAndColourPicturesReadBackTheSame) {
  for (const int64_t channels : {1, 3}) {
    for (const int64_t width : {1, 2, 7, 300}) {
      const Picture picture = Gradient(width, 5, channels);
      WritePng(picture, Path("picture.png"));
      const Picture again = ReadPng(Path("picture.png"));
      EXPECT_EQ(again.width, picture.width);
      EXPECT_EQ(again.height, picture.height);
      EXPECT_EQ(again.channels, picture.channels);
      EXPECT_EQ(again.pixels, picture.pixels);
    }
  }
}

TEST_F(PngWriterTest, EqualPicturesMakeEqualFiles) {
  WritePng(Gradient(30, 20, 3), Path("a.png"));
  WritePng(Gradient(30, 20, 3), Path("b.png"));
  EXPECT_EQ(ReadWholeFile(Path("a.png")), ReadWholeFile(Path("b.png")));
}

TEST_F(PngWriterTest, PicturesWhoseSizesContradictAreRefused) {
  Picture picture = Gradient(4, 4, 1);
  picture.pixels.pop_back();
  EXPECT_THROW(WritePng(picture, Path("picture.png")), Error);
  EXPECT_THROW(WritePng(Gradient(0, 4, 1), Path("picture.png")), Error);
  EXPECT_THROW(WritePng(Gradient(4, 4, 2), Path("picture.png")), Error);
  EXPECT_TRUE(FolderIsEmpty());
}

TEST_F(PngWriterTest, APlaceThatCannotBeWrittenIsCannotCreate) {
  try {
    WritePng(Gradient(4, 4, 1), Path("missing/picture.png"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCannotCreate);
  }
}

}  // namespace
}  // namespace rhohat
