#include "analyze/batch_header.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/units.h"

namespace rhohat {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr uint64_t kMebibyte = uint64_t{1} << 20;

MemoryPlan PlanOf(uint64_t total_mebibytes) {
  return {.total_bytes = total_mebibytes * kMebibyte,
          .budget_bytes = 12000 * kMebibyte,
          .least_bytes = 100 * kMebibyte,
          .threads = 8};
}

// What the job's limit leaves a run that is not told: 7/8.
uint64_t BudgetIn(const std::string& header) {
  const size_t begin = header.find("--mem=") + 6;
  const uint64_t limit = ParseBytes(header.substr(begin, header.find('\n', begin) - begin));
  return limit / 8 * 7;
}

std::string TimeIn(double seconds) {
  const std::string header = BatchHeader({}, PlanOf(100), TimePlan{.seconds_at_most = seconds});
  const size_t begin = header.find("--time=") + 7;
  return header.substr(begin, header.find('\n', begin) - begin);
}

TEST(BatchHeader, HasALineForEachThingAsked) {
  TrainOptions options;
  options.resources.memory_bytes = uint64_t{7} << 30;
  options.job.max_seconds = 7200;
  EXPECT_EQ(BatchHeader(options, PlanOf(500), {}),
            "#SBATCH --ntasks=1\n"
            "#SBATCH --cpus-per-task=8\n"
            "#SBATCH --mem=8193M\n"
            "#SBATCH --time=02:30:00\n"
            "#SBATCH --signal=B:USR1@120\n"
            "#SBATCH --requeue\n"
            "#SBATCH --open-mode=append\n");
}

TEST(BatchHeader, LeavesTheJobItsBudget) {
  TrainOptions options;
  for (const uint64_t memory : {192 * kMebibyte, 1000 * kMebibyte, uint64_t{12345678901}}) {
    options.resources.memory_bytes = memory;
    EXPECT_GE(BudgetIn(BatchHeader(options, PlanOf(100), {})), memory);
    EXPECT_LE(BudgetIn(BatchHeader(options, PlanOf(100), {})), memory + 2 * kMebibyte);
  }
}

TEST(BatchHeader, WithoutABudgetAsksForWhatThePlanComesTo) {
  for (const uint64_t total : {200, 3000}) {
    const uint64_t budget = BudgetIn(BatchHeader({}, PlanOf(total), {}));
    const uint64_t margin = std::max(8 * kMebibyte, budget / 32);
    EXPECT_GE(budget - margin, total * kMebibyte);
    EXPECT_LE(budget, total * kMebibyte * 11 / 10 + 10 * kMebibyte);
  }
  EXPECT_LE(BudgetIn(BatchHeader({}, PlanOf(11900), {})), 12002 * kMebibyte)
      << "no more than the budget that was planned with";
}

TEST(BatchHeader, AsksForTheEstimatedTimeAndSome) {
  EXPECT_EQ(TimeIn(1), "00:10:00");
  EXPECT_EQ(TimeIn(1200), "00:30:00");
  EXPECT_EQ(TimeIn(3600), "01:30:00");
  EXPECT_EQ(TimeIn(36000), "13:00:00");
  EXPECT_EQ(TimeIn(3 * 86400), "4-00:00:00");
  EXPECT_EQ(TimeIn(1e300), "365-00:00:00");
}

TEST(BatchHeader, HasNoTimeWhereNoneIsKnown) {
  EXPECT_THAT(BatchHeader({}, PlanOf(100), {}), Not(HasSubstr("--time")));
}

}  // namespace
}  // namespace rhohat
