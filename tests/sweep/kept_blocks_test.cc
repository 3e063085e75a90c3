#include "sweep/kept_blocks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "sweep/block_cache.h"

namespace rhohat {
namespace {

std::vector<int64_t> KeptOf(const KeptBlocks& blocks) {
  std::vector<int64_t> kept;
  for (int64_t block = 0; block < blocks.blocks(); ++block) {
    if (blocks.Keeps(block)) kept.push_back(block);
  }
  return kept;
}

// The longest run of blocks that are not kept.
int64_t LongestGap(const KeptBlocks& blocks) {
  int64_t longest = 0;
  int64_t gap = 0;
  for (int64_t block = 0; block < blocks.blocks(); ++block) {
    gap = blocks.Keeps(block) ? 0 : gap + 1;
    longest = std::max(longest, gap);
  }
  return longest;
}

std::vector<CacheShape> Shapes() {
  return {{.rows = 1000, .block_rows = 10, .parcel_rows = 1, .row_bytes = 100},
          {.rows = 1003, .block_rows = 10, .parcel_rows = 25, .row_bytes = 37},
          {.rows = 1, .block_rows = 64, .parcel_rows = 1, .row_bytes = 8},
          {.rows = 977, .block_rows = 13, .parcel_rows = 1, .row_bytes = 1},
          {.rows = 500, .block_rows = 7, .parcel_rows = 5000, .row_bytes = 16}};
}

TEST(KeptBlocksTest, TheBudgetForAllKeepsAllAndAByteLessDoesNot) {
  for (const CacheShape& shape : Shapes()) {
    const uint64_t all = KeptBlocks::BytesForAll(shape);
    const KeptBlocks kept(shape, all);
    EXPECT_EQ(kept.count(), kept.blocks());
    EXPECT_EQ(kept.rows(), shape.rows);
    EXPECT_EQ(std::ssize(KeptOf(kept)), kept.blocks());
    EXPECT_LT(KeptBlocks(shape, all - 1).count(), kept.blocks());
  }
}

TEST(KeptBlocksTest, AllThatACacheTakesIsWithinItsBudget) {
  for (const CacheShape& shape : Shapes()) {
    const uint64_t all = KeptBlocks::BytesForAll(shape);
    for (uint64_t budget = 0; budget <= all + 100; budget += std::max<uint64_t>(1, all / 97)) {
      const BlockCache cache(shape, budget);
      EXPECT_LE(cache.bytes(), budget);
      EXPECT_EQ(std::ssize(KeptOf(cache.blocks())), cache.blocks().count());
    }
  }
}

TEST(KeptBlocksTest, NearlyAllOfABudgetIsUsed) {
  const CacheShape shape{.rows = 100000, .block_rows = 10, .parcel_rows = 1, .row_bytes = 100};
  const uint64_t budget = KeptBlocks::BytesForAll(shape) / 2;
  EXPECT_GT(BlockCache(shape, budget).bytes(), budget - 16384);
}

TEST(KeptBlocksTest, ALargerBudgetKeepsWhatASmallerOneDoes) {
  for (const CacheShape& shape : Shapes()) {
    const uint64_t all = KeptBlocks::BytesForAll(shape);
    std::vector<int64_t> before;
    for (uint64_t budget = 0; budget <= all; budget += std::max<uint64_t>(1, all / 211)) {
      const std::vector<int64_t> kept = KeptOf(KeptBlocks(shape, budget));
      EXPECT_TRUE(std::ranges::includes(kept, before));
      before = kept;
    }
  }
}

TEST(KeptBlocksTest, WhatIsKeptIsSpreadOverTheData) {
  const CacheShape shape{.rows = 100000, .block_rows = 10, .parcel_rows = 30, .row_bytes = 100};
  const int64_t stretch = KeptBlocks::StretchBlocks(shape);
  EXPECT_EQ(stretch, 12);
  const uint64_t all = KeptBlocks::BytesForAll(shape);
  EXPECT_LE(LongestGap({shape, all / 2}), 3 * stretch) << "one at a time, but for a missing one";
  EXPECT_LE(LongestGap({shape, all * 4 / 5}), stretch);
  EXPECT_LE(LongestGap({shape, all / 5}), 8 * stretch);
}

TEST(KeptBlocksTest, WhatIsKeptComesInStretchesThatBeginWithAParcel) {
  const CacheShape shape{.rows = 100000, .block_rows = 10, .parcel_rows = 30, .row_bytes = 100};
  const KeptBlocks kept(shape, KeptBlocks::BytesForAll(shape) / 3);
  int64_t cut = 0;
  for (int64_t block = 0; block < kept.blocks(); block += 12) {
    for (int64_t i = 1; i < 12 && block + i < kept.blocks(); ++i) {
      if (kept.Keeps(block + i) != kept.Keeps(block + i - 1)) ++cut;
    }
  }
  EXPECT_LE(cut, 1) << "one stretch may be kept in part";
}

TEST(KeptBlocksTest, KeptBlocksFollowOneAnotherInMemory) {
  for (const CacheShape& shape : Shapes()) {
    const KeptBlocks kept(shape, KeptBlocks::BytesForAll(shape) * 2 / 3);
    uint64_t end = 0;
    for (const int64_t block : KeptOf(kept)) {
      EXPECT_EQ(kept.OffsetOf(block) % 64, 0U);
      EXPECT_GE(kept.OffsetOf(block), end);
      const int64_t rows = std::min(shape.block_rows, shape.rows - block * shape.block_rows);
      end = kept.OffsetOf(block) + static_cast<uint64_t>(rows) * shape.row_bytes;
      EXPECT_LE(end, kept.data_bytes());
    }
  }
}

TEST(KeptBlocksTest, SizesBeyondAnyMemoryKeepNothing) {
  const CacheShape huge{.rows = int64_t{1} << 60,
                        .block_rows = int64_t{1} << 40,
                        .parcel_rows = int64_t{1} << 62,
                        .row_bytes = uint64_t{1} << 61};
  EXPECT_EQ(KeptBlocks(huge, uint64_t{1} << 40).count(), 0);
  EXPECT_GE(KeptBlocks::BytesForAll(huge), uint64_t{1} << 60);
}

TEST(BlockCacheTest, HasWhatWasFilledUntilItForgets) {
  const CacheShape shape{.rows = 95, .block_rows = 10, .parcel_rows = 1, .row_bytes = 100};
  BlockCache cache(shape, KeptBlocks::BytesForAll(shape));
  for (int64_t block = 0; block < 10; ++block) {
    EXPECT_FALSE(cache.Has(block));
    EXPECT_FALSE(cache.HasAll());
    cache.SetFilled(block);
    EXPECT_TRUE(cache.Has(block));
  }
  EXPECT_TRUE(cache.HasAll());
  cache.Forget();
  EXPECT_FALSE(cache.Has(3));
  EXPECT_FALSE(cache.HasAll());
}

}  // namespace
}  // namespace rhohat
