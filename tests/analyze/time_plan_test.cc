#include "analyze/time_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "objective/compute_plan.h"

namespace rhohat {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

// 1000 rows of 20 columns, of which `kept` stay in memory.
MemoryPlan PlanWith(const TrainOptions& options, int64_t kept, Schedule schedule) {
  const NetworkShape shape(20, options.network);
  return {.rows = 1000,
          .columns = 20,
          .kept_rows = kept,
          .schedule = schedule,
          .flops_per_evaluation = 1000 * FlopsPerRow(shape, PassesOf(options.objective))};
}

TrainOptions With(std::vector<OptimizerKind> methods) {
  TrainOptions options;
  options.network.hidden = {5};
  options.optimizer.methods = std::move(methods);
  options.optimizer.iterations = 10;
  options.optimizer.epochs = 4;
  return options;
}

// 10 s of computing and 2 s of reading for all rows.
constexpr EvaluationRates kRates{
    .rows = 1000, .compute_rows_per_second = 100, .reading_rows_per_second = 500, .seconds = 2};

TimePlan TimeWith(const TrainOptions& options, int64_t kept = 0,
                  Schedule schedule = Schedule::kTwoPass, const EvaluationRates& rates = kRates) {
  return TimeOf(options, PlanWith(options, kept, schedule), rates);
}

TEST(TimePlan, AnEvaluationTakesAsLongAsTheSlowerOfComputingAndReading) {
  const TrainOptions options = With({OptimizerKind::kLbfgs});
  const TimePlan computing = TimeWith(options);
  EXPECT_DOUBLE_EQ(computing.seconds_per_evaluation, 10);
  EXPECT_FALSE(computing.bound_by_reading);

  EvaluationRates slow = kRates;
  slow.reading_rows_per_second = 50;
  const TimePlan reading = TimeWith(options, 0, Schedule::kTwoPass, slow);
  EXPECT_DOUBLE_EQ(reading.seconds_per_evaluation, 40) << "read twice";
  EXPECT_TRUE(reading.bound_by_reading);
  EXPECT_DOUBLE_EQ(TimeWith(options, 0, Schedule::kFused, slow).seconds_per_evaluation, 20);
  EXPECT_DOUBLE_EQ(TimeWith(options, 600, Schedule::kCached, slow).seconds_per_evaluation, 16);
  EXPECT_DOUBLE_EQ(TimeWith(options, 1000, Schedule::kCached, slow).seconds_per_evaluation, 10);

  TrainOptions one_pass = options;
  one_pass.objective.beta = {0};
  EXPECT_DOUBLE_EQ(TimeWith(one_pass, 0, Schedule::kTwoPass, slow).seconds_per_evaluation, 20);
}

TEST(TimePlan, CountsAllIterationsThatAreAllowedAndTheStartingPoint) {
  const TimePlan time = TimeWith(With({OptimizerKind::kLbfgs, OptimizerKind::kConjugateGradient}));
  ASSERT_EQ(time.methods.size(), 2U);
  EXPECT_EQ(time.methods[0].method, "lbfgs");
  EXPECT_EQ(time.methods[0].units, 10);
  EXPECT_DOUBLE_EQ(time.methods[0].data_passes, 11);
  EXPECT_DOUBLE_EQ(time.methods[0].seconds, 110);
  EXPECT_EQ(time.methods[1].method, "cg");
  EXPECT_DOUBLE_EQ(time.methods[1].seconds_each, 20);
  EXPECT_DOUBLE_EQ(time.methods[1].seconds, 210);
  EXPECT_DOUBLE_EQ(time.seconds_at_most, 322) << "the rows are read first";
}

TEST(TimePlan, AnEpochIsOnePassForwardsAndBack) {
  TrainOptions options = With({OptimizerKind::kAdam});
  const double share = FlopsPerRow(NetworkShape(20, options.network), 1) /
                       FlopsPerRow(NetworkShape(20, options.network), 2);
  const TimePlan time = TimeWith(options);
  EXPECT_EQ(time.methods[0].unit, "epoch");
  EXPECT_DOUBLE_EQ(time.methods[0].seconds_each, 10 * share);
  EXPECT_EQ(time.methods[0].units, 4);
  EXPECT_DOUBLE_EQ(time.methods[0].seconds, 40 * share + 10);
  options.optimizer.rho_hat = RhoHatKind::kExact;
  EXPECT_DOUBLE_EQ(TimeWith(options).methods[0].seconds_each, 10 * share + 5);
}

TEST(TimePlan, SamplesCountWithTheirRows) {
  TrainOptions options = With({OptimizerKind::kProgressive});
  options.optimizer.first_sample = 50;
  options.optimizer.growth = 4;
  MemoryPlan plan = PlanWith(options, 1000, Schedule::kCached);
  plan.sample_rows = 500;
  const TimePlan time = TimeOf(options, plan, kRates);  // samples of 50 and 200 rows
  EXPECT_EQ(time.methods[0].units, 30);
  EXPECT_DOUBLE_EQ(time.methods[0].data_passes, 11 + 0.5 + 2);
  plan.sample_rows = 0;
  EXPECT_EQ(TimeOf(options, plan, kRates).methods[0].units, 10);
}

TEST(TimePlan, GreedyStagesAddUp) {
  TrainOptions options = With({OptimizerKind::kGradientDescent});
  options.network.hidden = {5, 4};
  options.greedy = true;
  options.fine_tune = 3;
  EXPECT_EQ(TimeWith(options).methods[0].units, 10 + 10 + 3);
  EXPECT_THAT(TimeWith(options).remarks, testing::Contains(HasSubstr("layers trained alone")));
}

TEST(TimePlan, SaysWhatItDoesNotKnow) {
  TrainOptions options = With({OptimizerKind::kGradientDescent});
  EXPECT_THAT(TimeWith(options).remarks, IsEmpty());
  options.prepare.kind = PreparationKind::kStandardize;
  EXPECT_THAT(TimeWith(options).remarks, testing::ElementsAre(HasSubstr("--prepare")));
  EvaluationRates part = kRates;
  part.rows = 100;
  EXPECT_THAT(TimeWith(options, 0, Schedule::kTwoPass, part).remarks,
              testing::Contains(HasSubstr("the first 100 rows")));
}

}  // namespace
}  // namespace rhohat
