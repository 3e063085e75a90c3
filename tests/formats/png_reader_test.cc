#include "formats/png_reader.h"

#include <gmock/gmock.h>

#include "tests/formats/encoded_pictures.h"

namespace rhohat {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;

constexpr auto kAsStored = PictureColor::kAsStored;
constexpr auto kGrey = PictureColor::kGrey;
constexpr auto kRgb = PictureColor::kRgb;

class PngReaderTest : public testing::Test {
 protected:
  DecodedPicture Read(const std::string& bytes, PictureColor color = kAsStored) {
    return ReadFromMemory("file.png", bytes, color, limits_);
  }

  std::vector<uint8_t> Read8(const std::string& bytes, PictureColor color = kAsStored) {
    return Samples<uint8_t>(Read(bytes, color));
  }
  std::vector<uint16_t> Read16(const std::string& bytes, PictureColor color = kAsStored) {
    return Samples<uint16_t>(Read(bytes, color));
  }

  std::string MessageFor(const std::string& bytes, PictureColor color = kAsStored) {
    const std::string message = MessageOf(ErrorKind::kBadData, [&] { Read(bytes, color); });
    EXPECT_THAT(message, HasSubstr("file.png: expected"));
    return message;
  }

  PictureLimits limits_;
  ScratchFolder scratch_;
};

PngSpec SmallGrey() { return {.width = 3, .height = 2, .rows = "abcdef"}; }

PngSpec SmallRgb() {
  return {.width = 2,
          .height = 2,
          .color_type = PNG_COLOR_TYPE_RGB,
          .rows = std::string("\xff\0\0\0\xff\0\0\0\xff\1\2\3", 12)};
}

TEST_F(PngReaderTest, GreyOfFewBitsIsStretchedToEight) {
  EXPECT_THAT(Read8(PngFile({.width = 3, .height = 2, .bit_depth = 1, .rows = "\xa0\x40"})),
              ElementsAre(255, 0, 255, 0, 255, 0));
  EXPECT_THAT(Read8(PngFile({.width = 4, .height = 1, .bit_depth = 2, .rows = "\x1b"})),
              ElementsAre(0, 85, 170, 255));
  EXPECT_THAT(Read8(PngFile({.width = 3, .height = 1, .bit_depth = 4, .rows = "\x1f\x20"})),
              ElementsAre(17, 255, 34));
  EXPECT_THAT(Read8(PngFile(SmallGrey())), ElementsAreArray("abcdef", 6));
}

TEST_F(PngReaderTest, SixteenBitsStayAndComeInTheMachinesOrder) {
  const std::vector<uint16_t> values = {0, 1, 256, 0x1234, 65535, 40000};
  const std::string rows = Stored(values, true);
  const PngSpec grey = {.width = 3, .height = 2, .bit_depth = 16, .rows = rows};
  EXPECT_THAT(Read16(PngFile(grey)), ElementsAreArray(values));
  const PngSpec rgb = {
      .width = 2, .height = 1, .bit_depth = 16, .color_type = PNG_COLOR_TYPE_RGB, .rows = rows};
  EXPECT_THAT(Read16(PngFile(rgb)), ElementsAreArray(values));
  EXPECT_EQ(Read(PngFile(rgb)).shape,
            (PictureShape{1, 2, 3, ElementType{ElementKind::kUint16, false}}));
  EXPECT_THAT(Read16(PngFile(grey), kRgb),
              ElementsAre(0, 0, 0, 1, 1, 1, 256, 256, 256, 0x1234, 0x1234, 0x1234, 65535, 65535,
                          65535, 40000, 40000, 40000));
}

TEST_F(PngReaderTest, ColorsAndGreysConvertToEachOther) {
  EXPECT_THAT(Read8(PngFile(SmallRgb())), ElementsAre(255, 0, 0, 0, 255, 0, 0, 0, 255, 1, 2, 3));
  EXPECT_THAT(Read8(PngFile(SmallRgb()), kRgb), Read8(PngFile(SmallRgb())));
  EXPECT_THAT(Read8(PngFile(SmallRgb()), kGrey), ElementsAre(76, 150, 29, 2));
  EXPECT_THAT(Read8(PngFile({.width = 2, .height = 1, .rows = "ab"}), kRgb),
              ElementsAre('a', 'a', 'a', 'b', 'b', 'b'));
  EXPECT_THAT(Read8(PngFile(SmallGrey()), kGrey), ElementsAreArray("abcdef", 6));
}

TEST_F(PngReaderTest, PalettesOfEveryDepthBecomeColors) {
  const std::string palette("\xff\0\0\0\xff\0\1\2\3", 9);
  const std::vector<std::string> rows = {"\x18", "\x01\x20", std::string("\0\1\2", 3)};
  const std::vector<int> depths = {2, 4, 8};
  for (size_t i = 0; i < rows.size(); ++i) {
    const std::string file = PngFile({.width = 3,
                                      .height = 1,
                                      .bit_depth = depths[i],
                                      .color_type = PNG_COLOR_TYPE_PALETTE,
                                      .rows = rows[i],
                                      .palette = palette});
    EXPECT_THAT(Read8(file), ElementsAre(255, 0, 0, 0, 255, 0, 1, 2, 3)) << depths[i];
    EXPECT_THAT(Read8(file, kGrey), ElementsAre(76, 150, 2)) << depths[i];
  }
}

TEST_F(PngReaderTest, ColorsThatThePaletteLacksAreRefused) {
  EXPECT_THAT(MessageFor(PngFile({.width = 1,
                                  .height = 1,
                                  .color_type = PNG_COLOR_TYPE_PALETTE,
                                  .rows = "\x02",
                                  .palette = "abcdef"})),
              HasSubstr("of the 2 colours in its palette, found colour 2"));
}

TEST_F(PngReaderTest, InterlacedPicturesAreTheSamePictures) {
  std::string samples;
  for (int i = 0; i < 13 * 11 * 6; ++i) samples += static_cast<char>(i * 37 % 251);
  for (PngSpec spec :
       {PngSpec{.color_type = PNG_COLOR_TYPE_GRAY}, PngSpec{.color_type = PNG_COLOR_TYPE_RGB},
        PngSpec{.bit_depth = 16, .color_type = PNG_COLOR_TYPE_GRAY},
        PngSpec{.bit_depth = 16, .color_type = PNG_COLOR_TYPE_RGB},
        PngSpec{.color_type = PNG_COLOR_TYPE_PALETTE}}) {
    spec.width = 13;
    spec.height = 11;
    const bool palette = spec.color_type == PNG_COLOR_TYPE_PALETTE;
    if (palette) spec.palette = samples.substr(0, size_t{251} * 3);
    const size_t channels = spec.color_type == PNG_COLOR_TYPE_RGB ? 3 : 1;
    spec.rows = samples.substr(0, 13 * 11 * channels * static_cast<size_t>(spec.bit_depth) / 8);
    for (const PictureColor color : {kAsStored, kGrey, kRgb}) {
      spec.interlaced = false;
      const DecodedPicture plain = Read(PngFile(spec), color);
      spec.interlaced = true;
      const DecodedPicture interlaced = Read(PngFile(spec), color);
      ASSERT_EQ(interlaced.shape, plain.shape);
      EXPECT_THAT(interlaced.pixels.span(), ElementsAreArray(plain.pixels.span()));
    }
  }
}

TEST_F(PngReaderTest, TransparencyIsRefusedAsStoredAndElseDropped) {
  const PngSpec grey = {.width = 2,
                        .height = 1,
                        .color_type = PNG_COLOR_TYPE_GRAY_ALPHA,
                        .rows =
                            "a\x7f"
                            "b\x80"};
  const PngSpec rgb = {
      .width = 1, .height = 1, .color_type = PNG_COLOR_TYPE_RGB_ALPHA, .rows = "abc\x01"};
  for (const PngSpec& spec : {grey, rgb}) {
    EXPECT_THAT(MessageFor(PngFile(spec)),
                HasSubstr("found one with it; --color rgb or --color grey drops it"));
  }
  EXPECT_THAT(Read8(PngFile(grey), kGrey), ElementsAre('a', 'b'));
  EXPECT_THAT(Read8(PngFile(grey), kRgb), ElementsAre('a', 'a', 'a', 'b', 'b', 'b'));
  EXPECT_THAT(Read8(PngFile(rgb), kRgb), ElementsAre('a', 'b', 'c'));
  EXPECT_THAT(Read8(PngFile(rgb), kGrey), ElementsAre('b'));
}

TEST_F(PngReaderTest, TransparentColorsCountAsTransparency) {
  PngSpec grey = SmallGrey();
  grey.more_chunks = PngChunk("tRNS", std::string("\0a", 2));
  PngSpec rgb = SmallRgb();
  rgb.more_chunks = PngChunk("tRNS", std::string("\0\1\0\2\0\3", 6));
  PngSpec bits = {.width = 3, .height = 1, .bit_depth = 1, .rows = "\xa0"};
  bits.more_chunks = PngChunk("tRNS", std::string("\0\1", 2));
  PngSpec palette = {.width = 2,
                     .height = 1,
                     .color_type = PNG_COLOR_TYPE_PALETTE,
                     .rows = std::string("\0\1", 2),
                     .palette = "abcdef"};
  palette.more_chunks = PngChunk("tRNS", std::string("\x80\0", 2));
  for (const PngSpec& spec : {grey, rgb, bits, palette}) {
    EXPECT_THAT(MessageFor(PngFile(spec)), HasSubstr("drops it"));
  }
  EXPECT_THAT(Read8(PngFile(grey), kGrey), ElementsAreArray("abcdef", 6));
  EXPECT_THAT(Read8(PngFile(rgb), kGrey), ElementsAre(76, 150, 29, 2));
  EXPECT_THAT(Read8(PngFile(bits), kGrey), ElementsAre(255, 0, 255));
  EXPECT_THAT(Read8(PngFile(palette), kRgb), ElementsAreArray("abcdef", 6));
}

TEST_F(PngReaderTest, ChunksThatAreNotSamplesChangeNothing) {
  PngSpec spec = SmallGrey();
  spec.more_chunks = PngChunk("gAMA", BigEndian(20000)) + PngChunk("sBIT", "\x01") +
                     PngChunk("tEXt", "a key") + PngChunk("eXIf", "nonsense") +
                     PngChunk("orNT", std::string(100000, '?'));
  EXPECT_THAT(Read8(PngFile(spec)), ElementsAreArray("abcdef", 6));
  EXPECT_THAT(Read8(PngFile(SmallGrey()) + "what follows the end"), ElementsAreArray("abcdef", 6));
}

TEST_F(PngReaderTest, PackedTextsAreNotUnpacked) {
  PngSpec spec = SmallGrey();
  const std::string bomb = std::string("key\0\0", 5) + Deflate(std::string(32 << 20, 'x'));
  for (int i = 0; i < 20; ++i) spec.more_chunks += PngChunk("zTXt", bomb);
  EXPECT_THAT(Read8(PngFile(spec)), ElementsAreArray("abcdef", 6));
}

TEST_F(PngReaderTest, TinyFilesThatDeclareHugePicturesAreRefusedFromTheHeader) {
  PngSpec spec = {.width = 60000, .height = 60000, .color_type = PNG_COLOR_TYPE_RGB};
  const std::string end = PngChunk("IDAT", Deflate(std::string(1000, '\0'))) + PngChunk("IEND", "");
  const std::string path = scratch_.Write("bomb.png", PngHeader(spec) + end);
  // The shape may be asked for; the pixels may not.
  EXPECT_EQ(ReadPictureShape(path, kAsStored).height, 60000);
  EXPECT_THAT(MessageFor(PngHeader(spec) + end),
              HasSubstr("at most 268435456 pixels, found 60000 × 60000"));
  spec.width = spec.height = 0x7fffffff;
  EXPECT_THAT(MessageFor(PngHeader(spec) + end), HasSubstr("found damage"));
  spec = {.width = 10000, .height = 10000};
  EXPECT_THAT(MessageFor(PngHeader(spec) + end), HasSubstr("found damage"));
}

TEST_F(PngReaderTest, LimitsAreExact) {
  const std::string file = PngFile(SmallGrey());
  limits_.most_pixels = 6;
  EXPECT_EQ(Read8(file).size(), 6U);
  limits_.most_pixels = 5;
  EXPECT_THAT(MessageFor(file), HasSubstr("at most 5 pixels, found 2 × 3"));
  limits_ = {.most_bytes = 1024};
  EXPECT_THAT(MessageFor(file), HasSubstr("takes at most 1.00 KiB to decode, found 2 × 3 × 1"));
}

TEST_F(PngReaderTest, EveryProperPrefixIsRefused) {
  PngSpec spec = SmallRgb();
  spec.more_chunks = PngChunk("tEXt", "a key");
  const std::string whole = PngFile(spec);
  for (size_t size = 0; size < whole.size(); ++size) MessageFor(whole.substr(0, size));
  EXPECT_THAT(MessageFor(whole.substr(0, whole.size() - 5)), HasSubstr("the file is cut short"));
}

TEST_F(PngReaderTest, AWrongChecksumOfAnyChunkIsAnError) {
  PngSpec spec = {.width = 1,
                  .height = 1,
                  .color_type = PNG_COLOR_TYPE_PALETTE,
                  .rows = std::string(1, '\0'),
                  .palette = "abc",
                  .more_chunks = PngChunk("tEXt", "a key")};
  const std::string whole = PngFile(spec);
  for (const char* name : {"IHDR", "PLTE", "tEXt", "IDAT", "IEND"}) {
    const size_t at = whole.find(name);
    const auto length = static_cast<unsigned char>(whole[at - 1]);
    std::string damaged = whole;
    damaged[at + 4 + length] ^= 1;
    EXPECT_THAT(MessageFor(damaged), HasSubstr("CRC error")) << name;
  }
}

TEST_F(PngReaderTest, SamplesWithAWrongChecksumOfTheirOwnAreAnError) {
  std::string samples = Deflate(std::string("\0a\0b", 4));
  samples.back() ^= 1;
  EXPECT_THAT(MessageFor(PngHeader({.width = 1, .height = 2}) + PngChunk("IDAT", samples) +
                         PngChunk("IEND", "")),
              HasSubstr("found damage: IDAT"));
}

TEST_F(PngReaderTest, DamageIsToldOrHarmless) {
  const PngSpec palette = {.width = 2,
                           .height = 2,
                           .bit_depth = 4,
                           .color_type = PNG_COLOR_TYPE_PALETTE,
                           .rows = "\x01\x10",
                           .palette = "abcdef"};
  for (const PngSpec& spec : {SmallRgb(), palette}) {
    ExpectDamageIsToldOrHarmless(PngFile(spec),
                                 [&](const std::string& bytes) { Read(bytes, kGrey); });
  }
}

}  // namespace
}  // namespace rhohat
