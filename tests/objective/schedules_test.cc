// The schedules against one another: the same J and gradient from other numbers of passes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "objective/objective.h"
#include "rhohat/error.h"
#include "tests/objective/cases.h"
#include "tests/objective/relative_difference.h"

namespace rhohat {
namespace {

using testing::HasSubstr;

constexpr int64_t kRows = 75;
constexpr int64_t kColumns = 9;
constexpr uint64_t kOnce = kRows * kColumns * sizeof(double);  // VectorSource holds doubles

// Every combination that the options allow with the sparsity penalty, alone and with all others,
// and those without it where it is not defined.
std::vector<ObjectiveCase> Cases() {
  return AllCases({7, 5, 3}, std::vector{Penalised::kKl, Penalised::kAll});
}

template <class T>
struct Result {
  double cost = 0;
  std::vector<double> terms;
  std::vector<T> gradient;
  std::vector<double> rho_hat;
};

// The second of two evaluations, at different parameters, so that what the first leaves shows.
template <class T>
Result<T> Compute(const ObjectiveCase& c, Sweep<T>& sweep, const ObjectiveSchedule& schedule) {
  const NetworkShape shape(sweep.columns(), c.network);
  Objective<T> objective(shape, c.network, c.objective, kNoiseSource, sweep, schedule);
  Result<T> result;
  for (const uint64_t seed : {uint64_t{4}, uint64_t{3}}) {
    const std::vector<double> start = StartOf(shape, seed);
    const std::vector<T> parameters(start.begin(), start.end());
    result.gradient.assign(parameters.size(), T(0));
    const CostTerms cost = objective.EvaluateWithGradient(parameters, result.gradient);
    result.terms.clear();
    for (const CostTermInfo& term : kCostTerms) result.terms.push_back(cost.*term.value);
    result.cost = cost.total();
  }
  result.rho_hat.assign(objective.rho_hat().begin(), objective.rho_hat().end());
  return result;
}

bool TakesFused(const ObjectiveCase& c) {
  return WhyNotFused(c.objective, NetworkShape(kColumns, c.network)).empty();
}

template <class T>
void ExpectFusedAgrees(double cost_tolerance, double gradient_tolerance) {
  VectorSource source = FloatRows(kRows, kColumns, 5);
  Executor executor(2);
  Sweep<T> sweep(source, executor, {.block_rows = 8, .lanes = 4, .blocks_ahead = 3});
  int64_t compared = 0;
  for (const ObjectiveCase& c : Cases()) {
    if (!TakesFused(c)) continue;
    SCOPED_TRACE(c.Name());
    const Result<T> two_pass = Compute(c, sweep, {Schedule::kTwoPass});
    const Result<T> fused = Compute(c, sweep, {Schedule::kFused});
    EXPECT_NEAR(fused.cost, two_pass.cost, cost_tolerance * two_pass.cost);
    EXPECT_LT(RelativeDifference(fused.gradient, two_pass.gradient), gradient_tolerance);
    EXPECT_EQ(fused.rho_hat, two_pass.rho_hat);
    ++compared;
    if (testing::Test::HasFailure()) return;
  }
  EXPECT_GT(compared, 200) << "combinations that one pass serves";
}

TEST(SchedulesTest, FusedAgreesWithTwoPassInDouble) { ExpectFusedAgrees<double>(1e-12, 1e-12); }

TEST(SchedulesTest, FusedAgreesWithTwoPassInFloat) { ExpectFusedAgrees<float>(1e-6, 1e-5); }

template <class T>
void ExpectSameBits(const Result<T>& a, const Result<T>& b) {
  EXPECT_EQ(a.terms, b.terms);
  EXPECT_EQ(a.gradient, b.gradient);
  EXPECT_EQ(a.rho_hat, b.rho_hat);
}

// Threads that hand each other rows for microseconds take seconds where others want the processors:
// one is enough for most cases.
TEST(SchedulesTest, KeptCodesChangeNoBitHoweverManyThereAre) {
  VectorSource source = FloatRows(kRows, kColumns, 6);
  for (const int64_t threads : {1, 2}) {
    Executor executor(threads);
    Sweep<float> sweep(source, executor, {.block_rows = 8, .lanes = 4, .blocks_ahead = 3});
    int64_t number = 0;
    for (const ObjectiveCase& c : Cases()) {
      const int64_t wanted = number++ % 8 == 0 ? 2 : 1;
      if (threads != wanted) continue;
      SCOPED_TRACE(c.Name());
      const Result<float> two_pass = Compute(c, sweep, {Schedule::kTwoPass});
      for (const uint64_t bytes : {uint64_t{0}, uint64_t{1500}, uint64_t{1} << 20}) {
        ExpectSameBits(Compute(c, sweep, {Schedule::kCached, bytes}), two_pass);
      }
      if (testing::Test::HasFailure()) return;
    }
  }
}

TEST(SchedulesTest, ThreadsChangeNoBitOfAnySchedule) {
  VectorSource source = FloatRows(2 * kRows, kColumns, 7);
  const ObjectiveCase c = {{.hidden = {7}}, WeightsOf(Penalised::kAll, Activation::kSigmoid, 1)};
  for (const Schedule schedule : {Schedule::kTwoPass, Schedule::kCached, Schedule::kFused}) {
    std::vector<Result<float>> results;
    for (const int64_t threads : {1, 2, 5}) {
      Executor executor(threads);
      Sweep<float> sweep(source, executor,
                         {.block_rows = 8, .lanes = 16, .blocks_ahead = 2 * threads + 1});
      results.push_back(Compute(c, sweep, {schedule, 4000}));
    }
    ExpectSameBits(results[1], results[0]);
    ExpectSameBits(results[2], results[0]);
  }
}

TEST(SchedulesTest, FusedReadsHalfOfWhatTwoPassReads) {
  VectorSource source = FloatRows(kRows, kColumns, 8);
  Executor executor(1);
  const ObjectiveCase c = {{.hidden = {7}}, {}};
  for (const auto& [schedule, passes] :
       {std::pair(Schedule::kTwoPass, uint64_t{2}), std::pair(Schedule::kFused, uint64_t{1})}) {
    Sweep<float> sweep(source, executor, {.block_rows = 8, .lanes = 4, .blocks_ahead = 3});
    Compute(c, sweep, {schedule});
    EXPECT_EQ(sweep.counts().bytes_read, 2 * passes * kOnce) << "of two evaluations";
  }
}

// A penalty on the first layer of a deep network leaves the sum; one behind it does not.
TEST(SchedulesTest, FusedIsRefusedWhereAPenaltyStandsBehindTheFirstLayer) {
  VectorSource source = FloatRows(kRows, kColumns, 9);
  Executor executor(1);
  Sweep<double> sweep(source, executor, {.block_rows = 8, .lanes = 4, .blocks_ahead = 3});
  const ObjectiveCase behind = {{.hidden = {7, 5}}, {.rho = {0.1}, .beta = {1, 2}}};
  try {
    Compute(behind, sweep, {Schedule::kFused});
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_THAT(error.what(),
                HasSubstr("--schedule fused: the sparsity penalty of a layer beyond"));
  }
  const ObjectiveCase first = {{.hidden = {7, 5}}, {.rho = {0.1}, .beta = {1, 0}}};
  const Result<double> fused = Compute(first, sweep, {Schedule::kFused});
  const Result<double> two_pass = Compute(first, sweep, {Schedule::kTwoPass});
  EXPECT_LT(RelativeDifference(fused.gradient, two_pass.gradient), 1e-12);
}

}  // namespace
}  // namespace rhohat
