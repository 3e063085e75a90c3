#include "formats/picture.h"

#include <gmock/gmock.h>

#include "tests/formats/encoded_pictures.h"

namespace rhohat {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

bool LooksLike(std::string_view bytes) { return LooksLikePicture(std::as_bytes(std::span(bytes))); }

TEST(PictureTest, IsKnownByItsFirstBytes) {
  EXPECT_TRUE(LooksLike("\x89PNG\r\n\x1a\n"));
  EXPECT_TRUE(LooksLike("\xff\xd8\xff\xe0 and more"));
  EXPECT_FALSE(LooksLike(""));
  EXPECT_FALSE(LooksLike("\x89PNG"));
  EXPECT_FALSE(LooksLike("\xff\xd8"));
  EXPECT_FALSE(LooksLike("GIF89a..."));
}

TEST(PictureTest, FilesThatAreNoPictureAreRefused) {
  const ScratchFolder scratch;
  const auto message_for = [&](const std::string& bytes) {
    const std::string path = scratch.Write("file", bytes);
    return MessageOf(ErrorKind::kBadData, [&] { ReadPictureShape(path, PictureColor::kAsStored); });
  };
  EXPECT_THAT(message_for(""), HasSubstr("file: expected a PNG or JPEG picture, found an empty"));
  EXPECT_THAT(message_for("GIF89a"), HasSubstr("found other first bytes"));
  EXPECT_THAT(message_for(Gzip("x")), HasSubstr("found gzip; unpack it first"));
  MessageOf(ErrorKind::kNoInput,
            [&] { ReadPictureShape(scratch.Path("none"), PictureColor::kAsStored); });
}

TEST(PictureTest, GreyIsPillowsWeightedMean) {
  const std::vector<uint8_t> rgb = {255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255, 1, 2, 3};
  std::vector<uint8_t> grey(5);
  ConvertChannels({ElementKind::kUint8, false}, 5, 3, std::as_bytes(std::span(rgb)).data(),
                  std::as_writable_bytes(std::span(grey)).data());
  EXPECT_THAT(grey, ElementsAre(76, 150, 29, 255, 2));
}

TEST(PictureTest, GreyOfSixteenBitsHasTheSameWeightsAndDoesNotOverflow) {
  const std::vector<uint16_t> rgb = {65535, 65535, 65535, 65535, 0, 0, 0, 0, 257};
  std::vector<uint16_t> grey(3);
  ConvertChannels({ElementKind::kUint16, false}, 3, 3, std::as_bytes(std::span(rgb)).data(),
                  std::as_writable_bytes(std::span(grey)).data());
  EXPECT_THAT(grey, ElementsAre(65535, 19595, 29));
}

TEST(PictureTest, FilesOfManyBuffersGiveWhatMemoryGives) {
  const ScratchFolder scratch;
  PngSpec png = {.width = 300, .height = 300};
  uint32_t state = 1;
  for (int i = 0; i < 300 * 300; ++i) {
    png.rows += static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  }
  png.more_chunks = PngChunk("skIP", std::string(100'000, '?'));
  JpegSpec jpeg = {.width = 300, .height = 300, .quality = 100};
  jpeg.rows.assign(png.rows.begin(), png.rows.end());
  for (const std::string& bytes : {PngFile(png), JpegFile(jpeg)}) {
    ASSERT_GT(bytes.size(), 80'000U);
    DecodedPicture from_file;
    ReadPicture(scratch.Write("file", bytes), PictureColor::kAsStored, {}, from_file);
    const DecodedPicture from_memory = ReadFromMemory("", bytes, PictureColor::kAsStored, {});
    EXPECT_TRUE(Samples<uint8_t>(from_file) == Samples<uint8_t>(from_memory));
    const std::string cut = scratch.Write("cut", bytes.substr(0, bytes.size() - 9000));
    EXPECT_THAT(MessageOf(ErrorKind::kBadData,
                          [&] { ReadPicture(cut, PictureColor::kAsStored, {}, from_file); }),
                HasSubstr("the file is cut short"));
  }
}

TEST(PictureTest, ReadingIntoTheSamePictureAgainLeavesNothingOfTheLast) {
  const ScratchFolder scratch;
  const std::string large = scratch.Write(
      "large", PngFile({.width = 2, .height = 2, .rows = std::string("\1\2\3\4", 4)}));
  const std::string small =
      scratch.Write("small", PngFile({.width = 1, .height = 1, .rows = "\x9"}));
  DecodedPicture picture;
  ReadPicture(large, PictureColor::kAsStored, {}, picture);
  EXPECT_THAT(Samples<uint8_t>(picture), ElementsAre(1, 2, 3, 4));
  ReadPicture(small, PictureColor::kAsStored, {}, picture);
  EXPECT_THAT(Samples<uint8_t>(picture), ElementsAre(9));
  EXPECT_EQ(picture.pixels.size(), 1U);
}

}  // namespace
}  // namespace rhohat
