#include "train/memory_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "objective/compute_plan.h"
#include "rhohat/error.h"
#include "sweep/memory_planner.h"
#include "tests/support/vector_source.h"

namespace rhohat {
namespace {

using testing::HasSubstr;

constexpr uint64_t kMebibyte = uint64_t{1} << 20;

MemoryPlan PlanOf(const TrainOptions& options) {
  const VectorSource source = VectorSource::Random(5000, 100, 1);
  const ComputeOptions compute = ResolveCompute(options.compute, {100, options.network});
  return PlanTrainingMemory(options, compute, source);
}

TrainOptions Ample(std::vector<int64_t> hidden) {
  TrainOptions options;
  options.network.hidden = std::move(hidden);
  options.resources = {.memory_bytes = uint64_t{1} << 40, .threads = 2};
  return options;
}

MemoryPlan PlanWith(uint64_t memory_bytes, int64_t hidden = 30) {
  TrainOptions options = Ample({hidden});
  options.resources.memory_bytes = memory_bytes;
  return PlanOf(options);
}

// 0 where there is no such item.
uint64_t BytesOf(const MemoryPlan& plan, const std::string& name) {
  for (const MemoryPlan::Item& item : plan.items) {
    if (item.name == name) return item.bytes;
  }
  return 0;
}

TEST(MemoryPlanTest, ItemsAddUpToTheTotalWhichFitsTheBudget) {
  const MemoryPlan plan = PlanWith(200 * kMebibyte);
  uint64_t sum = 0;
  for (const MemoryPlan::Item& item : plan.items) sum += item.bytes;
  EXPECT_EQ(sum, plan.total_bytes);
  EXPECT_LE(plan.total_bytes, plan.budget_bytes);
  EXPECT_LE(plan.least_bytes, plan.budget_bytes);
}

TEST(MemoryPlanTest, BlocksAheadShrinkToFitAndNothingElseDoes) {
  const MemoryPlan ample = PlanWith(1000 * kMebibyte);
  const MemoryPlan least = PlanWith(ample.least_bytes);
  EXPECT_EQ(ample.blocks_ahead, 2 * 2 + 4);
  EXPECT_LT(least.blocks_ahead, ample.blocks_ahead);
  EXPECT_GE(least.blocks_ahead, LeastBlocksAhead(2));
  EXPECT_EQ(least.block_rows, ample.block_rows);
  EXPECT_EQ(least.lanes, ample.lanes);
  EXPECT_LE(least.total_bytes, least.budget_bytes);
}

TEST(MemoryPlanTest, ABudgetBelowTheLeastIsRefusedWithTheLeastAndWhatDominates) {
  const uint64_t least = PlanWith(4000 * kMebibyte, 20000).least_bytes;
  try {
    PlanWith(least - kMebibyte, 20000);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_THAT(error.what(), HasSubstr("at least " + std::to_string(least / kMebibyte) + "M"));
    EXPECT_THAT(error.what(), HasSubstr("optimiser"));
  }
  EXPECT_NO_THROW(PlanWith(least, 20000));
}

// Of two-pass, fused and cached where everything fits.
TEST(MemoryPlanTest, SchedulesDifferInReadingsAndInOperations) {
  TrainOptions options = Ample({30});
  const auto plan_of = [&](Schedule schedule) {
    options.compute.schedule = schedule;
    return PlanOf(options);
  };
  constexpr uint64_t kRows = 5000U * 100 * sizeof(double);
  EXPECT_EQ(plan_of(Schedule::kTwoPass).flops_per_evaluation, 12.0 * 5000 * 100 * 30);
  EXPECT_EQ(plan_of(Schedule::kTwoPass).bytes_read_per_evaluation, 2 * kRows);
  EXPECT_EQ(plan_of(Schedule::kTwoPass).kept_rows, 0);
  EXPECT_EQ(plan_of(Schedule::kCached).flops_per_evaluation, 10.0 * 5000 * 100 * 30);
  EXPECT_EQ(plan_of(Schedule::kCached).bytes_read_per_evaluation, 0U);
  EXPECT_EQ(plan_of(Schedule::kCached).kept_codes, 5000);
  options.resources.memory_bytes = plan_of(Schedule::kFused).least_bytes;
  EXPECT_EQ(plan_of(Schedule::kFused).flops_per_evaluation, 12.0 * 5000 * 100 * 30);
  EXPECT_EQ(plan_of(Schedule::kFused).bytes_read_per_evaluation, kRows);
}

TEST(MemoryPlanTest, TheScheduleIsCachedWhereAllFitsElseFusedElseTwoPassesAndSaysWhy) {
  TrainOptions options = Ample({30});
  EXPECT_EQ(PlanOf(options).schedule, Schedule::kCached);
  EXPECT_THAT(PlanOf(options).schedule_reason, HasSubstr("fit into memory"));
  options.compute.schedule = Schedule::kFused;
  const uint64_t for_fused = PlanOf(options).least_bytes;
  options.compute.schedule = Schedule::kAuto;
  options.resources.memory_bytes = for_fused;
  EXPECT_EQ(PlanOf(options).schedule, Schedule::kFused);
  EXPECT_THAT(PlanOf(options).schedule_reason, HasSubstr("reads them once"));

  options = Ample({30, 20});
  options.resources.memory_bytes = 0;
  options.resources.memory_bytes = PlanOf(options).least_bytes;
  EXPECT_EQ(PlanOf(options).schedule, Schedule::kCached);
  EXPECT_THAT(PlanOf(options).schedule_reason, HasSubstr("beyond the first"));
  options.compute.schedule = Schedule::kFused;
  EXPECT_THROW(PlanOf(options), Error);
  options.objective.beta = {0};
  EXPECT_EQ(PlanOf(options).schedule, Schedule::kFused) << "one pass is fused enough";
  options.compute.schedule = Schedule::kAuto;
  EXPECT_THAT(PlanOf(options).schedule_reason, HasSubstr("no penalty depends on rho_hat"));
}

// Sums of the fused schedule are half as large again; where they do not fit, two passes still do.
TEST(MemoryPlanTest, WhereTheSumsOfFusedDoNotFitTwoPassesAreTaken) {
  TrainOptions options = Ample({20000});
  options.compute.schedule = Schedule::kTwoPass;
  options.resources.memory_bytes = PlanOf(options).least_bytes;
  options.compute.schedule = Schedule::kAuto;
  EXPECT_EQ(PlanOf(options).schedule, Schedule::kCached);
  EXPECT_THAT(PlanOf(options).schedule_reason, HasSubstr("too little"));
}

TEST(MemoryPlanTest, WithoutAPenaltyOnMeansRowsAreReadOnce) {
  TrainOptions options = Ample({30});
  options.objective.beta = {0};
  options.resources.memory_bytes = PlanOf(options).least_bytes;
  const MemoryPlan plan = PlanOf(options);
  EXPECT_EQ(plan.flops_per_evaluation, 10.0 * 5000 * 100 * 30);
  EXPECT_EQ(plan.bytes_read_per_evaluation, 1U * 5000 * 100 * sizeof(double));
}

TEST(MemoryPlanTest, WhatIsLeftKeepsRowsAndNoMoreThanThereAre) {
  const MemoryPlan ample = PlanWith(1000 * kMebibyte);
  EXPECT_EQ(ample.kept_rows, 5000);
  EXPECT_EQ(ample.bytes_read_per_evaluation, 0U);
  EXPECT_EQ(ample.cache_bytes, BytesOf(ample, "cache"));
  EXPECT_GE(ample.cache_bytes, 5000U * 100 * sizeof(float));
  EXPECT_LT(ample.cache_bytes, 5000U * 100 * sizeof(float) * 11 / 10);
}

TEST(MemoryPlanTest, RowsAreKeptOnlyInWhatIsLeftAfterAMargin) {
  TrainOptions options = Ample({5});
  options.compute.block_rows = 1024;
  const auto plan_with = [&](uint64_t memory_bytes) {
    options.resources.memory_bytes = memory_bytes;
    return PlanTrainingMemory(options, ResolveCompute(options.compute, {1000, options.network}),
                              VectorSource(30000, 1000, {}));
  };
  const uint64_t least = plan_with(1000 * kMebibyte).least_bytes;
  int64_t kept_before = 0;
  for (uint64_t more = 0; more <= 120; more += 20) {
    const MemoryPlan plan = plan_with(least + more * kMebibyte);
    EXPECT_EQ(plan.cache_bytes, BytesOf(plan, "cache"));
    EXPECT_TRUE(plan.kept_rows == 0 || plan.total_bytes + 8 * kMebibyte <= plan.budget_bytes);
    EXPECT_GE(plan.kept_rows, kept_before);
    kept_before = plan.kept_rows;
  }
  EXPECT_GT(kept_before, 10000);
  EXPECT_LT(kept_before, 30000);
  EXPECT_EQ(plan_with(least).kept_rows, 0);
}

TEST(MemoryPlanTest, WhereSomeRowsAreReadAgainMoreAreReadAhead) {
  TrainOptions options = Ample({5});
  options.compute.block_rows = 1024;
  const auto plan_with = [&](uint64_t memory_bytes) {
    options.resources.memory_bytes = memory_bytes;
    return PlanTrainingMemory(options, ResolveCompute(options.compute, {1000, options.network}),
                              VectorSource(300000, 1000, {}));
  };
  const MemoryPlan some = plan_with(600 * kMebibyte);
  const MemoryPlan all = plan_with(4000 * kMebibyte);
  EXPECT_GT(some.kept_rows, 0);
  EXPECT_LT(some.kept_rows, 300000);
  EXPECT_EQ(all.kept_rows, 300000);
  EXPECT_GT(some.blocks_ahead, all.blocks_ahead);
}

TEST(MemoryPlanTest, PreparedRowsAreKeptAsTheyAreComputedWith) {
  TrainOptions options = Ample({30});
  options.compute.precision = Precision::kFloat64;
  const uint64_t plain = PlanOf(options).cache_bytes;
  options.compute.precision = Precision::kFloat32;
  options.prepare.kind = PreparationKind::kStandardize;
  EXPECT_LT(PlanOf(options).cache_bytes, plain * 6 / 10);
  options.greedy = true;
  options.network.hidden = {400, 10};
  EXPECT_GT(PlanOf(options).cache_bytes, plain * 18 / 10) << "rows of the second layer are larger";
}

TEST(MemoryPlanTest, OptimisersTakeTheirVectorsOfEachParameter) {
  TrainOptions options = Ample({30});
  const auto bytes_with = [&](OptimizerKind kind) {
    options.optimizer.methods = {kind};
    return BytesOf(PlanOf(options), "optimiser");
  };
  constexpr uint64_t kVector = (2 * 3000 + 130) * sizeof(float);
  EXPECT_GE(bytes_with(OptimizerKind::kLbfgs), 44 * kVector);
  EXPECT_GE(bytes_with(OptimizerKind::kConjugateGradient), 4 * kVector);
  EXPECT_LT(bytes_with(OptimizerKind::kConjugateGradient), 5 * kVector);
  EXPECT_GE(bytes_with(OptimizerKind::kGradientDescent), 3 * kVector);
  EXPECT_LT(bytes_with(OptimizerKind::kGradientDescent), 5 * kVector);
}

TEST(MemoryPlanTest, ATiedNetworkTakesLessAndADeepOneMore) {
  TrainOptions options = Ample({80});
  const MemoryPlan plain = PlanOf(options);
  options.network.tied = true;
  const MemoryPlan tied = PlanOf(options);
  options = Ample({80, 60});
  const MemoryPlan deep = PlanOf(options);
  for (const char* item : {"optimiser", "gradient", "lanes", "model"}) {
    EXPECT_LT(BytesOf(tied, item), BytesOf(plain, item)) << item;
    EXPECT_GT(BytesOf(deep, item), BytesOf(plain, item)) << item;
  }
  EXPECT_GT(BytesOf(deep, "workspace"), BytesOf(plain, "workspace"));
}

TEST(MemoryPlanTest, NoiseTakesATileOfInputsAThread) {
  TrainOptions options = Ample({30});
  const MemoryPlan clean = PlanOf(options);
  options.objective.noise = {NoiseKind::kMask, 0.5};
  const MemoryPlan noisy = PlanOf(options);
  EXPECT_EQ(BytesOf(noisy, "workspace") - BytesOf(clean, "workspace"),
            static_cast<uint64_t>(2 * TileRows({100, {30}}) * 100) * sizeof(float));
}

TEST(MemoryPlanTest, APreparationIsPlannedForInTheRunAndInTheModel) {
  TrainOptions options = Ample({30});
  EXPECT_EQ(BytesOf(PlanOf(options), "preparation"), 0U);
  options.prepare = {.kind = PreparationKind::kStandardize};
  const MemoryPlan plan = PlanOf(options);
  EXPECT_GE(BytesOf(plan, "preparation"),
            static_cast<uint64_t>(2 * plan.block_rows * 100) * sizeof(float));
  options.prepare = {.kind = PreparationKind::kZca, .epsilon = 0.1};
  // Matrix and inverse, in float while it runs and in double for the model.
  EXPECT_GE(BytesOf(PlanOf(options), "preparation"),
            BytesOf(plan, "preparation") + 2 * 100 * 100 * (sizeof(float) + sizeof(double)));
}

TEST(MemoryPlanTest, GreedyTrainingTakesTheFrozenLayersToo) {
  TrainOptions options = Ample({80, 60, 40});
  EXPECT_EQ(BytesOf(PlanOf(options), "frozen layers"), 0U);
  options.greedy = true;
  const MemoryPlan plan = PlanOf(options);
  const auto blocks = static_cast<uint64_t>(2 * plan.block_rows * (80 + 60));
  EXPECT_GE(BytesOf(plan, "frozen layers"), blocks * sizeof(float));
}

TEST(MemoryPlanTest, ANetworkThatCannotBeCountedIsRefusedBeforeItIsPlanned) {
  EXPECT_THROW(PlanOf(Ample({int64_t{1} << 61})), Error);
  EXPECT_THROW(PlanOf(Ample({int64_t{1} << 40, int64_t{1} << 40})), Error);
}

TrainOptions ProgressiveWith(uint64_t memory_bytes) {
  TrainOptions options = Ample({30});
  options.optimizer.methods = {OptimizerKind::kProgressive};
  options.resources.memory_bytes = memory_bytes;
  return options;
}

TEST(MemoryPlanTest, SamplesTakeTheMemoryThatIsLeft) {
  const uint64_t least = PlanOf(ProgressiveWith(uint64_t{1} << 40)).least_bytes;
  EXPECT_EQ(PlanOf(ProgressiveWith(uint64_t{1} << 40)).sample_rows, 2048);
  EXPECT_EQ(PlanOf(ProgressiveWith(least)).sample_rows, 0);
  int64_t last = 0;
  for (uint64_t budget = least; budget < least + 40 * kMebibyte; budget += kMebibyte / 2) {
    const MemoryPlan plan = PlanOf(ProgressiveWith(budget));
    EXPECT_LE(plan.total_bytes, std::max(budget, plan.least_bytes));
    EXPECT_GE(plan.sample_rows, last);
    const uint64_t held = static_cast<uint64_t>(plan.sample_rows) * (100 * sizeof(float) + 8);
    EXPECT_GE(BytesOf(plan, "held rows") + BytesOf(plan, "cache") + BytesOf(plan, "codes"), held);
    last = plan.sample_rows;
  }
  EXPECT_EQ(last, 2048);
}

TEST(MemoryPlanTest, WithoutTheProgressiveMethodThereAreNoSamples) {
  TrainOptions options = Ample({30});
  options.optimizer.methods = {OptimizerKind::kLbfgs};
  EXPECT_EQ(PlanOf(options).sample_rows, 0);
}

}  // namespace
}  // namespace rhohat
