#include "formats/patch_source.h"

#include <gmock/gmock.h>

#include "tests/formats/encoded_pictures.h"
#include "tests/formats/test_rows.h"

namespace rhohat {
namespace {

using testing::AllOf;
using testing::Each;
using testing::HasSubstr;

class PatchSourceTest : public testing::Test {
 protected:
  // 16-bit grey whose pixels tell where they are: first + y × 100 + x.
  std::string Numbered(const std::string& name, uint32_t height, uint32_t width, uint32_t first) {
    std::vector<uint16_t> values;
    for (uint32_t y = 0; y < height; ++y) {
      for (uint32_t x = 0; x < width; ++x) {
        values.push_back(static_cast<uint16_t>(first + y * 100 + x));
      }
    }
    return scratch_.Write(
        name,
        PngFile({.width = width, .height = height, .bit_depth = 16, .rows = Stored(values, true)}));
  }

  std::vector<std::string> ThreeNumbered() {
    return {Numbered("a", 10, 20, 0), Numbered("b", 30, 12, 10000), Numbered("c", 9, 9, 20000)};
  }

  std::string MessageFor(const std::vector<std::string>& files, const PatchOptions& options,
                         ErrorKind kind = ErrorKind::kBadData) {
    return MessageOf(kind, [&] { OpenPatches(files, options); });
  }

  ScratchFolder scratch_;
};

TEST_F(PatchSourceTest, RowsAreRectanglesOfThePictureThatLocateNames) {
  const auto source = OpenPatches(ThreeNumbered(), {.height = 4, .width = 3, .count = 100});
  EXPECT_EQ(source->rows(), 100);
  EXPECT_EQ(source->columns(), 12);
  EXPECT_EQ(source->type(), (ElementType{ElementKind::kUint16, false}));
  const std::vector<double> values = ReadAll(*source, 7);
  for (size_t row = 0; row < 100; ++row) {
    const auto first = static_cast<int>(values[row * 12]);
    const std::string where = source->Locate(static_cast<int64_t>(row));
    const std::string name(1, static_cast<char>('a' + first / 10000));
    EXPECT_THAT(where, HasSubstr(scratch_.Path(name) + " patch " + std::to_string(row)));
    EXPECT_THAT(where, HasSubstr("row " + std::to_string(first % 10000 / 100) + " and column " +
                                 std::to_string(first % 100)));
    for (int y = 0; y < 4; ++y) {
      for (int x = 0; x < 3; ++x) {
        ASSERT_EQ(values[row * 12 + static_cast<size_t>(y * 3 + x)], first + y * 100 + x);
      }
    }
  }
}

TEST_F(PatchSourceTest, ChannelsStayTogether) {
  PngSpec spec = {.width = 5, .height = 5, .color_type = PNG_COLOR_TYPE_RGB};
  for (int i = 0; i < 25; ++i) spec.rows += {static_cast<char>(i), static_cast<char>(i + 50), 'x'};
  const auto source =
      OpenPatches({scratch_.Write("a", PngFile(spec))}, {.height = 1, .width = 2, .count = 30});
  ASSERT_EQ(source->columns(), 6);
  const std::vector<double> values = ReadAll(*source);
  for (size_t row = 0; row < 30; ++row) {
    const double first = values[row * 6];
    EXPECT_THAT(std::vector<double>(values.begin() + row * 6, values.begin() + row * 6 + 6),
                testing::ElementsAre(first, first + 50, 'x', first + 1, first + 51, 'x'));
  }
}

TEST_F(PatchSourceTest, BlocksAndPassesDoNotChangeRows) {
  const auto source = OpenPatches(ThreeNumbered(), {.height = 4, .width = 3, .count = 50});
  const std::vector<double> expected = ReadAll(*source);
  for (const int64_t block : {1, 3, 17, 50, 1}) EXPECT_EQ(ReadAll(*source, block), expected);
  const auto again = OpenPatches(ThreeNumbered(), {.height = 4, .width = 3, .count = 50});
  EXPECT_EQ(ReadAll(*again), expected);
  const auto other =
      OpenPatches(ThreeNumbered(), {.height = 4, .width = 3, .count = 50, .seed = 2});
  EXPECT_NE(ReadAll(*other), expected);
}

TEST_F(PatchSourceTest, EachPictureIsReadOnceAPass) {
  const std::vector<std::string> files = ThreeNumbered();
  uint64_t file_bytes = 0;
  for (const std::string& file : files) file_bytes += std::filesystem::file_size(file);
  const auto source = OpenPatches(files, {.count = 100});
  ReadAll(*source, 1);
  EXPECT_EQ(source->bytes_read(), file_bytes);
  ReadAll(*source, 9);
  EXPECT_EQ(source->bytes_read(), 2 * file_bytes);
}

TEST_F(PatchSourceTest, BlocksShareThePictureThatTheyMeetIn) {
  const auto source = OpenPatches(ThreeNumbered(), {.count = 30});
  EXPECT_EQ(source->ParcelRows(), 10);
  RawRows first;
  RawRows second;
  RawRows third;
  FetchAndUnpack(*source, {0, 8}, first);
  FetchAndUnpack(*source, {8, 25}, second);
  FetchAndUnpack(*source, {25, 30}, third);
  EXPECT_EQ(first.parcels.size(), 1U);
  EXPECT_EQ(first.new_parcels, 1U);
  ASSERT_EQ(second.parcels.size(), 3U);
  EXPECT_EQ(second.new_parcels, 2U);
  EXPECT_EQ(second.parcels[0], first.parcels[0]);
  ASSERT_EQ(third.parcels.size(), 1U);
  EXPECT_EQ(third.new_parcels, 0U);
  EXPECT_EQ(third.parcels[0], second.parcels[2]);
}

TEST_F(PatchSourceTest, APictureIsFreedWithTheLastBlockThatNeedsIt) {
  const auto source = OpenPatches(ThreeNumbered(), {.count = 30});
  RawRows rows;
  FetchAndUnpack(*source, {0, 5}, rows);
  const std::weak_ptr<Parcel> picture = rows.parcels[0];
  FetchAndUnpack(*source, {5, 10}, rows);
  EXPECT_FALSE(picture.expired());
  FetchAndUnpack(*source, {10, 15}, rows);
  EXPECT_TRUE(picture.expired());
}

TEST_F(PatchSourceTest, MemoryIsThatOfThePicturesThatRowsInHandCanTouch) {
  const std::vector<std::string> files(1000, Numbered("a", 90, 90, 0));
  const auto source = OpenPatches(files, {.count = 1'000'000});
  const size_t one = source->ParcelBytes(1);
  EXPECT_GT(one, 90 * 90 * sizeof(uint16_t) + std::filesystem::file_size(files[0]));
  EXPECT_EQ(source->ParcelBytes(1000), 2 * one);
  EXPECT_EQ(source->ParcelBytes(4000), 5 * one);
  EXPECT_EQ(source->ParcelBytes(1'000'000), 1000 * one);
}

TEST_F(PatchSourceTest, FewerPatchesThanPicturesLeaveSomeOut) {
  const auto source = OpenPatches(ThreeNumbered(), {.height = 1, .width = 1, .count = 2});
  const std::vector<double> values = ReadAll(*source);
  EXPECT_LT(values[0], 10000);
  EXPECT_TRUE(values[1] >= 10000 && values[1] < 20000);
}

TEST_F(PatchSourceTest, PicturesThatDoNotFitAreRefusedByName) {
  EXPECT_THAT(MessageFor(ThreeNumbered(), {.height = 10, .width = 10, .count = 5}),
              HasSubstr("c: expected a picture of at least 10 × 10 pixels, the size of a patch, "
                        "found 9 × 9"));
  EXPECT_THAT(MessageFor(ThreeNumbered(), {.height = 1, .width = 13, .count = 5}),
              HasSubstr("b: expected a picture of at least 1 × 13"));
  const std::string grey = scratch_.Write("grey", PngFile({.width = 1, .height = 1, .rows = "a"}));
  const std::string rgb = scratch_.Write(
      "rgb", PngFile({.width = 1, .height = 1, .color_type = PNG_COLOR_TYPE_RGB, .rows = "abc"}));
  const PatchOptions options = {.height = 1, .width = 1, .count = 5};
  EXPECT_THAT(MessageFor({grey, rgb}, options),
              AllOf(HasSubstr("rgb: expected channels and type as in "),
                    HasSubstr("1 × 1 × 1 of uint8, found 1 × 1 × 3 of uint8; --color rgb")));
  EXPECT_THAT(MessageFor({grey, Numbered("wide", 3, 3, 0)}, options),
              HasSubstr("found 3 × 3 × 1 of uint16; convert them apart"));
  EXPECT_EQ(
      OpenPatches({grey, rgb}, {.height = 1, .width = 1, .count = 5, .color = PictureColor::kGrey})
          ->columns(),
      1);
}

TEST_F(PatchSourceTest, ImpossibleOptionsAreErrorsOfUse) {
  EXPECT_THAT(MessageFor({}, {.height = 0}, ErrorKind::kUsage),
              AllOf(HasSubstr("no picture was given"), HasSubstr("at least 1 × 1"),
                    HasSubstr("expected a number of patches, found 0")));
  EXPECT_THAT(MessageFor({Numbered("a", 9, 9, 0)}, {.width = -1, .count = 1}, ErrorKind::kUsage),
              HasSubstr("found 8 × -1"));
}

TEST_F(PatchSourceTest, LargeFilesOfSmallPicturesAreRefused) {
  const std::string path = scratch_.Write(
      "a", PngFile({.width = 1, .height = 1, .rows = "a"}) + std::string(2 << 20, 'x'));
  EXPECT_THAT(
      MessageFor({path}, {.height = 1, .width = 1, .count = 1, .limits = {.most_bytes = 1 << 20}}),
      HasSubstr("a: expected a picture in a file of at most 1.00 MiB, found 2.00 MiB"));
}

TEST_F(PatchSourceTest, APictureThatChangesUnderwayIsAnError) {
  const auto source = OpenPatches({Numbered("a", 20, 20, 0)}, {.count = 10});
  Numbered("a", 12, 12, 0);
  EXPECT_THAT(MessageOf(ErrorKind::kBadData, [&] { ReadAll(*source); }),
              HasSubstr("a: has changed while it was in use"));
  Numbered("a", 90, 90, 0);
  EXPECT_THAT(MessageOf(ErrorKind::kBadData, [&] { ReadAll(*source); }),
              HasSubstr("a: has changed while it was in use"));
}

TEST_F(PatchSourceTest, AFlatPictureGivesFlatPatches) {
  JpegSpec flat = WavyJpeg(30, 30, true);
  flat.rows.assign(flat.rows.size(), 128);
  const auto source = OpenPatches({scratch_.Write("a.jpg", JpegFile(flat))}, {.count = 20});
  EXPECT_EQ(source->columns(), 8 * 8 * 3);
  EXPECT_THAT(ReadAll(*source), Each(128));
}

}  // namespace
}  // namespace rhohat
