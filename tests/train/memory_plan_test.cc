#include "train/memory_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "objective/compute_plan.h"
#include "rhohat/error.h"
#include "tests/support/vector_source.h"

namespace rhohat {
namespace {

using testing::HasSubstr;

constexpr uint64_t kMebibyte = uint64_t{1} << 20;

MemoryPlan PlanWith(uint64_t memory_bytes, int64_t hidden = 30, int64_t threads = 2) {
  const VectorSource source = VectorSource::Random(5000, 100, 1);
  TrainOptions options;
  options.network.hidden = {hidden};
  options.resources = {.memory_bytes = memory_bytes, .threads = threads};
  return PlanTrainingMemory(options, ResolveCompute({}, {100, hidden}), source);
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

TEST(MemoryPlanTest, EvaluationsCostTwelveOperationsAConnectionAndTwoReadings) {
  const MemoryPlan plan = PlanWith(200 * kMebibyte);
  EXPECT_EQ(plan.flops_per_evaluation, 12.0 * 5000 * 100 * 30);
  EXPECT_EQ(plan.bytes_read_per_evaluation, 2U * 5000 * 100 * sizeof(double));
}

TEST(ResolveTest, WithoutABudgetHalfTheMachineIsTakenAndSaidToBe) {
  const ResolvedResources resolved = Resolve({});
  EXPECT_GT(resolved.memory_bytes, 0U);
  EXPECT_GE(resolved.threads, 1);
  EXPECT_THAT(resolved.memory_source, HasSubstr("half of this machine's"));
  EXPECT_EQ(Resolve({.memory_bytes = 5, .threads = 7}).threads, 7);
}

}  // namespace
}  // namespace rhohat
