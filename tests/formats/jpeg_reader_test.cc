#include "formats/jpeg_reader.h"

#include <gmock/gmock.h>

#include "tests/formats/encoded_pictures.h"

namespace rhohat {
namespace {

using testing::Each;
using testing::ElementsAreArray;
using testing::HasSubstr;

constexpr auto kAsStored = PictureColor::kAsStored;
constexpr auto kGrey = PictureColor::kGrey;
constexpr auto kRgb = PictureColor::kRgb;

// 13 × 19 pixels in colour, with colours at half the resolution, written by Pillow 9.4. What Pillow
// reads from it has the CRC-32 values below.
constexpr std::string_view kPillowsJpeg =
    "ffd8ffe000104a46494600010100000100010000ffdb0043000d090a0b0a080d0b0a0b0e0e0d0f132015131212"
    "13271c1e17202e2931302e292d2c333a4a3e333646372c2d405741464c4e525352323e5a615a50604a51524fff"
    "db0043010e0e0e131113261515264f352d354f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f"
    "4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4fffc0001108000d001303012200021101031101ffc400"
    "17000003010000000000000000000000000000040503ffc4002810000004030509000000000000000000000001"
    "0211030405061222a3e2152125323335515261ffc40017010003010000000000000000000000000001020405ff"
    "c40020110001030402030000000000000000000001000204030511d114a1212252ffda000c0301000211031100"
    "3f00908a59bf287e56966e584628b4f05fb6e76914256d3c172e1b9da44d3593b907c76369edb4e5e07a76369e"
    "452cee16100853b6ae0c49c8aad98ccabbd7f1bbd7e006f53833cb01d6d1a97a94c7968a39c1fa0bffd9";
constexpr uint32_t kPillowsRgb = 0xf23ce480;
constexpr uint32_t kPillowsGrey = 0x5463f0b6;

std::string FromHex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

uint32_t Crc(const DecodedPicture& picture) {
  return static_cast<uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(picture.pixels.data()),
                                     static_cast<uInt>(picture.pixels.size())));
}

// `segment` put behind the start of the picture, as a marker with its length.
std::string WithSegment(const std::string& jpeg, char marker, const std::string& segment) {
  const auto length = static_cast<uint16_t>(segment.size() + 2);
  return jpeg.substr(0, 2) + '\xff' + marker + Stored(std::vector<uint16_t>{length}, true) +
         segment + jpeg.substr(2);
}

class JpegReaderTest : public testing::Test {
 protected:
  DecodedPicture Read(const std::string& bytes, PictureColor color = kAsStored) {
    return ReadFromMemory("file.jpg", bytes, color, limits_);
  }

  std::string MessageFor(const std::string& bytes, PictureColor color = kAsStored) {
    const std::string message = MessageOf(ErrorKind::kBadData, [&] { Read(bytes, color); });
    EXPECT_THAT(message, HasSubstr("file.jpg: expected"));
    return message;
  }

  PictureLimits limits_;
  ScratchFolder scratch_;
};

TEST_F(JpegReaderTest, PixelsArePillows) {
  const std::string file = FromHex(kPillowsJpeg);
  EXPECT_EQ(Read(file).shape, (PictureShape{13, 19, 3, ElementType{ElementKind::kUint8, false}}));
  EXPECT_EQ(Crc(Read(file)), kPillowsRgb);
  EXPECT_EQ(Crc(Read(file, kRgb)), kPillowsRgb);
  EXPECT_EQ(Crc(Read(file, kGrey)), kPillowsGrey);
}

TEST_F(JpegReaderTest, GreysHaveOneChannelAndMayBeReplicated) {
  JpegSpec flat = WavyJpeg(10, 9, false);
  flat.rows.assign(flat.rows.size(), 120);
  const std::string file = JpegFile(flat);
  EXPECT_EQ(Read(file).shape.channels, 1);
  EXPECT_THAT(Samples<uint8_t>(Read(file)), Each(120));
  const DecodedPicture rgb = Read(file, kRgb);
  EXPECT_EQ(rgb.shape, (PictureShape{9, 10, 3, ElementType{ElementKind::kUint8, false}}));
  EXPECT_THAT(Samples<uint8_t>(rgb), Each(120));
}

TEST_F(JpegReaderTest, ProgressivePicturesAreTheSamePictures) {
  for (const bool colored : {false, true}) {
    JpegSpec spec = WavyJpeg(45, 37, colored);
    const DecodedPicture baseline = Read(JpegFile(spec));
    spec.progressive = true;
    const DecodedPicture progressive = Read(JpegFile(spec));
    ASSERT_EQ(progressive.shape, baseline.shape);
    EXPECT_THAT(progressive.pixels.span(), ElementsAreArray(baseline.pixels.span()));
  }
}

TEST_F(JpegReaderTest, PicturesForPrintAreRefused) {
  const JpegSpec cmyk = {.width = 8,
                         .height = 8,
                         .components = 4,
                         .space = JCS_CMYK,
                         .stored = JCS_CMYK,
                         .rows = WavyRows(8, 8, 4)};
  JpegSpec ycck = cmyk;
  ycck.stored = JCS_YCCK;
  for (const JpegSpec& spec : {cmyk, ycck}) {
    for (const PictureColor color : {kAsStored, kGrey, kRgb}) {
      EXPECT_THAT(MessageFor(JpegFile(spec), color), HasSubstr("found CMYK"));
    }
  }
  const JpegSpec two = {.width = 8,
                        .height = 8,
                        .components = 2,
                        .space = JCS_UNKNOWN,
                        .stored = JCS_UNKNOWN,
                        .rows = WavyRows(8, 8, 2)};
  EXPECT_THAT(MessageFor(JpegFile(two)), HasSubstr("found 2 components"));
}

TEST_F(JpegReaderTest, OrientationAndOtherNotesChangeNothing) {
  const std::string plain = JpegFile(WavyJpeg(20, 10, true));
  const std::string turned =
      std::string("Exif\0\0MM\0*\0\0\0\x8\0\1\1\x12\0\3\0\0\0\1\0\6\0\0", 28) +
      std::string(4, '\0');
  const DecodedPicture picture = Read(plain);
  EXPECT_EQ(picture.shape.height, 10);
  for (const std::string& file :
       {WithSegment(plain, '\xe1', turned), WithSegment(plain, '\xfe', std::string(65000, '?')),
        plain + "what follows the end"}) {
    EXPECT_THAT(Read(file).pixels.span(), ElementsAreArray(picture.pixels.span()));
  }
}

TEST_F(JpegReaderTest, EveryProperPrefixIsRefused) {
  JpegSpec spec = WavyJpeg(9, 9, true);
  for (const bool progressive : {false, true}) {
    spec.progressive = progressive;
    const std::string whole = JpegFile(spec);
    for (size_t size = 0; size < whole.size(); ++size) MessageFor(whole.substr(0, size));
    EXPECT_THAT(MessageFor(whole.substr(0, whole.size() - 2)), HasSubstr("the file is cut short"));
  }
}

TEST_F(JpegReaderTest, TinyFilesThatDeclareHugePicturesAreRefusedFromTheHeader) {
  std::string file = JpegFile(WavyJpeg(8, 8, true));
  const size_t frame = file.find("\xff\xc0");
  file.replace(frame + 5, 4, "\xea\x60\xea\x60");
  EXPECT_EQ(ReadPictureShape(scratch_.Write("bomb.jpg", file), kAsStored).width, 60000);
  EXPECT_THAT(MessageFor(file), HasSubstr("at most 268435456 pixels, found 60000 × 60000"));
}

TEST_F(JpegReaderTest, CoefficientsOfProgressivePicturesCountAsMemory) {
  JpegSpec spec = WavyJpeg(1000, 1000, false);
  spec.rows.assign(spec.rows.size(), 0);
  limits_.most_bytes = 2'500'000;
  EXPECT_EQ(Read(JpegFile(spec)).shape.height, 1000);
  spec.progressive = true;
  EXPECT_THAT(MessageFor(JpegFile(spec)), HasSubstr("takes at most 2.38 MiB to decode"));
  limits_.most_bytes = 4'000'000;
  EXPECT_EQ(Read(JpegFile(spec)).shape.height, 1000);
}

// The last scan of a progressive picture, over and over, costs a dozen bytes each time.
std::string WithScans(const std::string& jpeg, int more) {
  const size_t scan = jpeg.rfind("\xff\xda");
  const std::string again = jpeg.substr(scan, jpeg.size() - 2 - scan);
  std::string file = jpeg.substr(0, jpeg.size() - 2);
  for (int i = 0; i < more; ++i) file += again;
  return file + "\xff\xd9";
}

TEST_F(JpegReaderTest, ThousandsOfScansAreRefused) {
  // One scan of the first coefficient, one of the others: both may come again.
  jpeg_scan_info scans[] = {{1, {0}, 0, 0, 0, 0}, {1, {0}, 1, 63, 0, 0}};
  JpegSpec spec = WavyJpeg(16, 16, false);
  spec.rows.assign(spec.rows.size(), 200);
  spec.scans = scans;
  const std::string file = JpegFile(spec);
  const DecodedPicture picture = Read(file);
  EXPECT_THAT(Read(WithScans(file, 498)).pixels.span(), ElementsAreArray(picture.pixels.span()));
  EXPECT_THAT(MessageFor(WithScans(file, 5000)), HasSubstr("it has more than 500 scans"));
}

TEST_F(JpegReaderTest, WarningsOfDamageAreErrors) {
  std::string file = JpegFile(WavyJpeg(64, 64, true));
  // Within the samples; libjpeg would only warn, and fill in grey.
  const size_t samples = file.rfind("\xff\xda") + 14;
  file.replace(samples + 200, 4, "\xff\xd3\xff\xd3");
  EXPECT_THAT(MessageFor(file), HasSubstr("Corrupt JPEG data"));
}

TEST_F(JpegReaderTest, DamageIsToldOrHarmless) {
  JpegSpec spec = WavyJpeg(17, 9, true);
  spec.quality = 50;
  limits_ = {.most_pixels = 1 << 20, .most_bytes = 64 << 20};
  for (const bool progressive : {false, true}) {
    spec.progressive = progressive;
    ExpectDamageIsToldOrHarmless(JpegFile(spec),
                                 [&](const std::string& bytes) { Read(bytes, kGrey); });
  }
}

}  // namespace
}  // namespace rhohat
