#include "objective/compute_plan.h"

#include <gtest/gtest.h>

#include <bit>

namespace rhohat {
namespace {

TEST(ComputePlanTest, BlocksAreSmallerForWiderNetworksWithinBounds) {
  EXPECT_EQ(ResolveCompute({}, {784, 196}).block_rows, 1024);
  EXPECT_EQ(ResolveCompute({}, {64, 25}).block_rows, 4096);
  EXPECT_EQ(ResolveCompute({}, {4096, 16384}).block_rows, 128);
  EXPECT_EQ(ResolveCompute({}, {1000000, 10}).block_rows, 128);
}

TEST(ComputePlanTest, LanesAreSixteenAndFewerForLargeNetworks) {
  EXPECT_EQ(ResolveCompute({}, {784, 196}).lanes, 16);
  EXPECT_EQ(ResolveCompute({}, {4096, 16384}).lanes, 4);
  for (int64_t hidden = 1; hidden < 100000; hidden *= 3) {
    const int64_t lanes = ResolveCompute({}, {2000, hidden}).lanes;
    EXPECT_TRUE(std::has_single_bit(static_cast<uint64_t>(lanes)));
  }
}

TEST(ComputePlanTest, WhatIsAskedForIsKept) {
  const ComputeOptions resolved = ResolveCompute({.lanes = 2, .block_rows = 77}, {784, 196});
  EXPECT_EQ(resolved.lanes, 2);
  EXPECT_EQ(resolved.block_rows, 77);
  EXPECT_EQ(resolved.schedule, Schedule::kTwoPass);
}

}  // namespace
}  // namespace rhohat
