#include "objective/compute_plan.h"

#include <gtest/gtest.h>

#include <bit>

#include "rhohat/error.h"

namespace rhohat {
namespace {

TEST(ComputePlanTest, BlocksAreSmallerForWiderNetworksWithinBounds) {
  EXPECT_EQ(ResolveCompute({}, {784, {196}}).block_rows, 1024);
  EXPECT_EQ(ResolveCompute({}, {64, {25}}).block_rows, 4096);
  EXPECT_EQ(ResolveCompute({}, {4096, {16384}}).block_rows, 128);
  EXPECT_EQ(ResolveCompute({}, {1000000, {10}}).block_rows, 128);
}

TEST(ComputePlanTest, LanesAreSixteenAndFewerForLargeNetworks) {
  EXPECT_EQ(ResolveCompute({}, {784, {196}}).lanes, 16);
  EXPECT_EQ(ResolveCompute({}, {4096, {16384}}).lanes, 4);
  for (int64_t hidden = 1; hidden < 100000; hidden *= 3) {
    const int64_t lanes = ResolveCompute({}, {2000, {hidden}}).lanes;
    EXPECT_TRUE(std::has_single_bit(static_cast<uint64_t>(lanes)));
  }
}

TEST(ComputePlanTest, WhatIsAskedForIsKept) {
  const ComputeOptions resolved = ResolveCompute({.lanes = 2, .block_rows = 77}, {784, {196}});
  EXPECT_EQ(resolved.lanes, 2);
  EXPECT_EQ(resolved.block_rows, 77);
}

TEST(ComputePlanTest, DeepNetworksGoByTheirWidestLevelAndAllTheirParameters) {
  EXPECT_EQ(ResolveCompute({}, {64, {4096, 8}}).block_rows, 256);
  EXPECT_EQ(ResolveCompute({}, {4096, {64, 8}}).block_rows, 256);
  EXPECT_EQ(ResolveCompute({}, {2048, {2048}}).lanes, 16);
  EXPECT_EQ(ResolveCompute({}, {2048, {4096, 4096}}).lanes, 4);
  EXPECT_EQ(ResolveCompute({}, {2048, {4096, 4096}, true}).lanes, 8);
}

// Before anything is counted that could overflow.
TEST(ComputePlanTest, RefusesNetworksThatCannotBeCounted) {
  EXPECT_THROW(ResolveCompute({}, {784, {int64_t{1} << 61}}), Error);
  EXPECT_THROW(ResolveCompute({}, {784, {int64_t{1} << 40, int64_t{1} << 40}}), Error);
}

TEST(ComputePlanTest, RefusesBlocksThatCannotBeCounted) {
  EXPECT_THROW(ResolveCompute({.block_rows = int64_t{1} << 52}, {1, {1000}}), Error);
  EXPECT_THROW(ResolveCompute({}, {1, {int64_t{1} << 55}}), Error);
  EXPECT_NO_THROW(ResolveCompute({.block_rows = int64_t{1} << 40}, {1, {1000}}));
}

TEST(ComputePlanTest, OnlyAPenaltyOnMeansTakesASecondPass) {
  EXPECT_EQ(PassesOf({}), 2);
  EXPECT_EQ(PassesOf({.beta = {0}}), 1);
  EXPECT_EQ(PassesOf({.beta = {0, 0, 1e-9}}), 2);
  EXPECT_EQ(PassesOf({.beta = {0, 0}, .gamma = 1, .kappa = 1}), 1);
}

TEST(ComputePlanTest, OperationsAreThoseOfTheProducts) {
  // Forwards, backwards but for the input, the weights' gradients; then the encoder once more.
  EXPECT_EQ(FlopsPerRow({100, {30}}, 1), 2 * (3000 + 3000 + 2 * 3000 + 3000));
  EXPECT_EQ(FlopsPerRow({100, {30}}, 2), 12.0 * 100 * 30);
  EXPECT_EQ(FlopsPerRow({100, {30}, true}, 2), 12.0 * 100 * 30);
  EXPECT_EQ(FlopsPerRow({100, {30, 10}}, 1), 2 * (2 * 3000 + 3 * 300 + 3 * 300 + 3 * 3000));
  EXPECT_EQ(FlopsPerRow({100, {30, 10}}, 2), FlopsPerRow({100, {30, 10}}, 1) + 2 * (3000 + 300));
}

// Small products are those that BLAS has kernels of their own for: up to a million multiplications.
TEST(ComputePlanTest, TilesKeepSmallProductsSmallAndGrowWithWideSums) {
  EXPECT_EQ(TileRows({64, {25}}), 512);
  EXPECT_EQ(TileRows({100, {50}}), 128);
  EXPECT_EQ(TileRows({12, {651, 3}}), 128);
  EXPECT_EQ(TileRows({1, {1}}), 512);
  EXPECT_EQ(TileRows({784, {196}}), 256);
  EXPECT_EQ(TileRows({784, {1024}}), 512);
}

}  // namespace
}  // namespace rhohat
