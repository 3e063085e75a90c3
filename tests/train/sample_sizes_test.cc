#include "train/sample_sizes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "tests/support/state_copy.h"

namespace rhohat {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

NetworkShape Shape(std::vector<int64_t> hidden) { return {784, std::move(hidden)}; }

TEST(SampleSizes, GrowFromWhatTheNetworkWantsToHalfOfTheRows) {
  EXPECT_THAT(SampleSizes({}, Shape({196}), 60'000), ElementsAre(784, 3136, 12'544));
  EXPECT_THAT(SampleSizes({}, Shape({1000, 30}), 60'000), ElementsAre(4000, 16'000));
  EXPECT_THAT(SampleSizes({}, Shape({25}), 5000), ElementsAre(512, 2048));
}

TEST(SampleSizes, AreAsAskedFor) {
  EXPECT_THAT(SampleSizes({.first_sample = 100, .growth = 2.5}, Shape({196}), 2000),
              ElementsAre(100, 250, 625));
  EXPECT_THAT(SampleSizes({.first_sample = 1, .growth = 1.1}, Shape({196}), 10),
              ElementsAre(1, 2, 3, 4, 5));
}

TEST(SampleSizes, AreNoneWhereThereAreNotTwiceTheRowsOfTheFirst) {
  EXPECT_THAT(SampleSizes({}, Shape({196}), 2 * 784 - 1), IsEmpty());
  EXPECT_THAT(SampleSizes({}, Shape({196}), 2 * 784), ElementsAre(784));
}

TEST(SampleSizes, KeepToTheLimitWithAllThatIsHeld) {
  for (const int64_t limit : {1, 1567, 1568, 3135, 3136, 12'543, 12'544, 1'000'000}) {
    const OptimizerOptions options{.sample_limit = limit};
    const std::vector<int64_t> sizes = SampleSizes(options, Shape({196}), 60'000);
    EXPECT_LE(RowsHeldFor(sizes), limit);
    // What was held, taken as the limit, gives the same samples.
    const OptimizerOptions again{.sample_limit = std::max<int64_t>(1, RowsHeldFor(sizes))};
    EXPECT_EQ(SampleSizes(again, Shape({196}), 60'000), sizes) << limit;
  }
}

TEST(SampleSizes, DoNotOverflow) {
  const OptimizerOptions options{.first_sample = int64_t{1} << 60, .growth = 1e300};
  EXPECT_THAT(SampleSizes(options, Shape({5}), int64_t{1} << 62), ElementsAre(int64_t{1} << 60));
}

TEST(SampleBlockRows, GiveEveryLaneABlockWhereThatIsWorthIt) {
  EXPECT_EQ(SampleBlockRows(784, 16, 1024), 64);
  EXPECT_EQ(SampleBlockRows(3136, 16, 1024), 256);
  EXPECT_EQ(SampleBlockRows(100'000, 16, 1024), 1024);
  EXPECT_EQ(SampleBlockRows(10, 16, 1024), 64);
  EXPECT_EQ(SampleBlockRows(10, 16, 7), 7);
}

TEST(SampleGap, FollowsFromWhatGrowthAddsToTheCost) {
  SampleGap gap;
  gap.Measure(12, 15);
  EXPECT_DOUBLE_EQ(gap.gap(), 3);
  // A quarter of 4000 rows cost 12, and all of them 14.25: so the other three quarters cost 15. A
  // sample four times as large is four times as good.
  gap.Grow(1000, 12, 4000, 14.25);
  EXPECT_DOUBLE_EQ(gap.gap(), 0.75);
}

TEST(SampleGap, EndsASampleOnceTenIterationsGainASmallPartOfItAndTheLastOneSooner) {
  SampleGap gap;
  gap.Measure(10, 12);
  EXPECT_FALSE(gap.IsUsedUp(0.11, false));
  EXPECT_TRUE(gap.IsUsedUp(0.09, false));
  EXPECT_FALSE(gap.IsUsedUp(0.21, true));
  EXPECT_TRUE(gap.IsUsedUp(0.19, true));
}

TEST(SampleGap, IsAllThatASampleHasToSave) {
  SampleGap gap;
  gap.Measure(12, 15.1);
  StateCopy saved;
  gap.Visit(saved);
  saved.Load();
  SampleGap loaded;
  loaded.Visit(saved);
  EXPECT_EQ(loaded.gap(), gap.gap());
}

TEST(SampleGap, IsNeverNegative) {
  SampleGap gap;
  gap.Measure(10, 9);
  EXPECT_EQ(gap.gap(), 0);
  EXPECT_FALSE(gap.IsUsedUp(1e-9, true));
}

}  // namespace
}  // namespace rhohat
