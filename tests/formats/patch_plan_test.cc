#include "formats/patch_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

namespace rhohat {
namespace {

PatchPlan Plan(int64_t patches, int64_t pictures) { return {patches, pictures, 8, 8, 1}; }

TEST(PatchPlanTest, AllPicturesGiveTheSameNumberOfPatchesToWithinOne) {
  for (int64_t pictures = 1; pictures < 20; ++pictures) {
    for (int64_t patches = 1; patches < 60; ++patches) {
      const PatchPlan plan = Plan(patches, pictures);
      std::vector<int64_t> given(static_cast<size_t>(pictures));
      for (int64_t row = 0; row < patches; ++row) {
        ++given[static_cast<size_t>(plan.PictureOf(row))];
        ASSERT_GE(plan.PictureOf(row), plan.PictureOf(std::max<int64_t>(row - 1, 0)));
      }
      const auto [least, most] = std::ranges::minmax(given);
      EXPECT_LE(most - least, 1);
      EXPECT_EQ(most, plan.MostRowsOfPicture());
    }
  }
}

TEST(PatchPlanTest, TheFirstRowAfterAPictureIsTheFirstOfALaterOne) {
  for (int64_t pictures = 1; pictures < 20; ++pictures) {
    for (int64_t patches = 1; patches < 60; ++patches) {
      const PatchPlan plan = Plan(patches, pictures);
      for (int64_t row = 0; row < patches; ++row) {
        int64_t next = row;
        while (next < patches && plan.PictureOf(next) == plan.PictureOf(row)) ++next;
        ASSERT_EQ(plan.FirstRowAfter(plan.PictureOf(row)), next);
      }
    }
  }
}

TEST(PatchPlanTest, NoRunOfRowsTouchesMorePicturesThanTold) {
  for (const auto& [patches, pictures] :
       std::vector<std::pair<int64_t, int64_t>>{{1, 1}, {10, 3}, {100, 7}, {7, 100}, {64, 64}}) {
    const PatchPlan plan = Plan(patches, pictures);
    for (int64_t count = 1; count <= patches; ++count) {
      for (int64_t begin = 0; begin + count <= patches; ++begin) {
        std::set<int64_t> touched;
        for (int64_t row = begin; row < begin + count; ++row) touched.insert(plan.PictureOf(row));
        ASSERT_LE(static_cast<int64_t>(touched.size()), plan.MostPicturesOf(count));
      }
    }
    EXPECT_EQ(plan.MostPicturesOf(0), 0);
    EXPECT_EQ(plan.MostPicturesOf(patches), std::min(patches, pictures));
  }
}

TEST(PatchPlanTest, HugeCountsDoNotOverflow) {
  const int64_t patches = int64_t{1} << 62;
  const PatchPlan plan = Plan(patches, 1'000'000);
  EXPECT_EQ(plan.PictureOf(patches - 1), 999'999);
  EXPECT_EQ(plan.FirstRowAfter(999'999), patches);
}

TEST(PatchPlanTest, CornersAreUniformOverAllPlacesWhereThePatchFits) {
  const PatchPlan plan(60'000, 1, 3, 2, 7);
  std::vector<int64_t> hits(5 * 4);  // of a picture of 7 × 5
  for (int64_t row = 0; row < 60'000; ++row) {
    const PatchPlan::Corner corner = plan.CornerOf(row, 7, 5);
    ASSERT_TRUE(corner.y >= 0 && corner.y <= 4 && corner.x >= 0 && corner.x <= 3);
    ++hits[static_cast<size_t>(corner.y * 4 + corner.x)];
  }
  // 3000 each, with a standard deviation of 53.
  for (const int64_t count : hits) EXPECT_NEAR(static_cast<double>(count), 3000, 5 * 53);
}

TEST(PatchPlanTest, CornersAreAFunctionOfSeedAndRow) {
  const PatchPlan plan(1000, 10, 8, 8, 1);
  const PatchPlan other_counts(50, 3, 8, 8, 1);
  const PatchPlan other_seed(1000, 10, 8, 8, 2);
  int same = 0;
  for (int64_t row = 0; row < 50; ++row) {
    const auto [y, x] = plan.CornerOf(row, 1000, 1000);
    EXPECT_EQ(other_counts.CornerOf(row, 1000, 1000).y, y);
    EXPECT_EQ(other_counts.CornerOf(row, 1000, 1000).x, x);
    if (other_seed.CornerOf(row, 1000, 1000).y == y) ++same;
  }
  EXPECT_LT(same, 3);
}

TEST(PatchPlanTest, APatchAsLargeAsItsPictureHasOnePlace) {
  const PatchPlan plan = Plan(100, 1);
  for (int64_t row = 0; row < 100; ++row) {
    EXPECT_EQ(plan.CornerOf(row, 8, 8).y, 0);
    EXPECT_EQ(plan.CornerOf(row, 8, 8).x, 0);
  }
}

}  // namespace
}  // namespace rhohat
