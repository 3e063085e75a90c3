// The gradient of a mini-batch against that of the objective over the same rows.
#include "objective/batch_objective.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "objective/objective.h"
#include "rhohat/error.h"
#include "tests/objective/cases.h"
#include "tests/objective/relative_difference.h"
#include "tests/support/state_copy.h"

namespace rhohat {
namespace {

using testing::HasSubstr;

constexpr int64_t kColumns = 9;

std::string Locate(int64_t row) { return "row " + std::to_string(row); }

template <class T>
struct Evaluated {
  CostTerms cost;
  std::vector<T> gradient;
  std::vector<double> rho_hat;
};

// Rows `numbers` of `source` as a batch.
template <class T>
Evaluated<T> Evaluate(BatchObjective<T>& objective, const VectorSource& source,
                      const std::vector<int64_t>& numbers, const std::vector<T>& parameters) {
  const auto copy = [&](RowRange range, std::span<T> out) {
    for (int64_t i = range.begin; i < range.end; ++i) {
      const auto row = source.values().begin() + numbers[static_cast<size_t>(i)] * kColumns;
      std::transform(row, row + kColumns, out.begin() + (i - range.begin) * kColumns,
                     [](double value) { return static_cast<T>(value); });
    }
  };
  Evaluated<T> result;
  result.gradient.assign(parameters.size(), std::nan(""));
  result.cost = objective.Evaluate(
      {numbers, copy}, parameters, [&](int64_t, size_t begin, std::span<const T> gradient) {
        std::ranges::copy(gradient, result.gradient.begin() + static_cast<int64_t>(begin));
      });
  result.rho_hat.assign(objective.rho_hat().begin(), objective.rho_hat().end());
  return result;
}

std::vector<int64_t> AllRows(int64_t rows) {
  std::vector<int64_t> numbers(static_cast<size_t>(rows));
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

template <class T>
void ExpectThatOfTheObjective(int64_t rows, double tolerance) {
  VectorSource source = FloatRows(rows, kColumns, 5);
  Executor executor(2);
  Sweep<T> sweep(source, executor, {.block_rows = 32, .lanes = 4, .blocks_ahead = 3});
  for (const ObjectiveCase& c : AllCases({7, 5, 3}, std::vector{Penalised::kAll})) {
    SCOPED_TRACE(c.Name());
    const NetworkShape shape(kColumns, c.network);
    const std::vector<double> start = StartOf(shape, 3);
    const std::vector<T> parameters(start.begin(), start.end());
    Objective<T> whole(shape, c.network, c.objective, kNoiseSource, sweep);
    std::vector<T> gradient(parameters.size());
    const CostTerms cost = whole.EvaluateWithGradient(parameters, gradient);

    BatchObjective<T> batch(shape, c.network, c.objective, kNoiseSource, executor, rows, Locate);
    batch.SetRhoHat(whole.rho_hat());
    const Evaluated<T> result = Evaluate(batch, source, AllRows(rows), parameters);
    for (const CostTermInfo& term : kCostTerms) {
      EXPECT_NEAR(result.cost.*term.value, cost.*term.value, tolerance * cost.total()) << term.name;
    }
    EXPECT_LT(RelativeDifference(result.gradient, gradient), tolerance);

    // The first batch of a running mean is the mean.
    RunningMean running(shape.encoder_units(), 100);
    batch.SetRhoHat(std::vector<double>(whole.rho_hat().size(), 0.5));
    batch.SetRunning(&running);
    const Evaluated<T> first = Evaluate(batch, source, AllRows(rows), parameters);
    EXPECT_LT(RelativeDifference(first.gradient, gradient), tolerance);
    if (testing::Test::HasFailure()) return;
  }
}

TEST(BatchObjectiveTest, OneBatchOfAllRowsHasTheObjectivesGradientInDouble) {
  ExpectThatOfTheObjective<double>(75, 1e-12);
  ExpectThatOfTheObjective<double>(1, 1e-12);
}

TEST(BatchObjectiveTest, OneBatchOfAllRowsHasTheObjectivesGradientInFloat) {
  ExpectThatOfTheObjective<float>(150, 1e-5);
}

ObjectiveCase Denoising() {
  ObjectiveCase c = {{{7}, Activation::kSigmoid, Activation::kSigmoid, false},
                     WeightsOf(Penalised::kAll, Activation::kSigmoid, 1)};
  c.objective.noise = {NoiseKind::kMask, 0.3};
  return c;
}

// Rows keep their noise, whatever batch they are in: the mean of two halves' gradients is that of
// the whole where ρ̂ is the same and no penalty looks at the weights' share in a batch.
TEST(BatchObjectiveTest, ABatchIsMadeOfItsRows) {
  VectorSource source = FloatRows(200, kColumns, 5);
  Executor executor(2);
  const ObjectiveCase c = Denoising();
  const NetworkShape shape(kColumns, c.network);
  const std::vector<double> parameters = StartOf(shape, 3);
  BatchObjective<double> batch(shape, c.network, c.objective, kNoiseSource, executor, 200, Locate);
  batch.SetRhoHat(std::vector<double>(7, 0.3));
  std::vector<int64_t> even;
  std::vector<int64_t> odd;
  for (int64_t i = 0; i < 100; ++i) {
    even.push_back(198 - 2 * i);
    odd.push_back(2 * i + 1);
  }
  const auto whole = Evaluate(batch, source, AllRows(200), parameters);
  const auto a = Evaluate(batch, source, even, parameters);
  const auto b = Evaluate(batch, source, odd, parameters);
  std::vector<double> mean(parameters.size());
  for (size_t i = 0; i < mean.size(); ++i) mean[i] = (a.gradient[i] + b.gradient[i]) / 2;
  EXPECT_LT(RelativeDifference(mean, whole.gradient), 1e-13);
  EXPECT_NEAR((a.cost.total() + b.cost.total()) / 2, whole.cost.total(), 1e-12);
}

TEST(BatchObjectiveTest, EveryEpochHasNoiseOfItsOwn) {
  VectorSource source = FloatRows(100, kColumns, 5);
  Executor executor(2);
  const ObjectiveCase c = Denoising();
  const NetworkShape shape(kColumns, c.network);
  const std::vector<double> parameters = StartOf(shape, 3);
  BatchObjective<double> batch(shape, c.network, c.objective, kNoiseSource, executor, 100, Locate);
  batch.SetRhoHat(std::vector<double>(7, 0.3));
  const auto first = Evaluate(batch, source, AllRows(100), parameters);
  batch.set_noise_epoch(1);
  const auto second = Evaluate(batch, source, AllRows(100), parameters);
  EXPECT_GT(RelativeDifference(second.gradient, first.gradient), 1e-3);
  batch.set_noise_epoch(0);
  EXPECT_EQ(Evaluate(batch, source, AllRows(100), parameters).gradient, first.gradient);
}

TEST(BatchObjectiveTest, BitsDoNotDependOnThreads) {
  VectorSource source = FloatRows(300, kColumns, 5);
  for (const ObjectiveCase& c : AllCases({200, 40}, std::vector{Penalised::kAll})) {
    if (c.objective.noise.kind != NoiseKind::kGaussian) continue;
    const NetworkShape shape(kColumns, c.network);
    const std::vector<double> start = StartOf(shape, 3);
    const std::vector<float> parameters(start.begin(), start.end());
    std::vector<float> expected;
    for (const int64_t threads : {1, 2, 3}) {
      Executor executor(threads);
      BatchObjective<float> batch(shape, c.network, c.objective, kNoiseSource, executor, 300,
                                  Locate);
      EXPECT_GE(batch.panels(), 4);
      RunningMean running(shape.encoder_units(), 100);
      batch.SetRunning(&running);
      Evaluate(batch, source, AllRows(300), parameters);
      const auto second = Evaluate(batch, source, AllRows(170), parameters);
      if (expected.empty()) expected = second.gradient;
      EXPECT_EQ(second.gradient, expected);
    }
  }
}

TEST(BatchObjectiveTest, TargetsThatAreNoProbabilitiesAreNamedByTheirRow) {
  VectorSource source(3, kColumns, std::vector<double>(3 * kColumns, 1.5));
  Executor executor(2);
  ObjectiveCase c = Denoising();
  c.objective.loss = Loss::kCrossEntropy;
  const NetworkShape shape(kColumns, c.network);
  BatchObjective<double> batch(shape, c.network, c.objective, kNoiseSource, executor, 2, Locate);
  try {
    Evaluate(batch, source, {2, 1}, StartOf(shape, 3));
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("row 2, column 0"));
  }
}

TEST(RunningMeanTest, ABatchCountsHalfAfterItsHalfLife) {
  RunningMean mean(1, 100);
  mean.Add(std::vector<double>{50 * 1.0}, 50);
  EXPECT_DOUBLE_EQ(mean.Means()[0], 1);
  mean.Add(std::vector<double>{100 * 4.0}, 100);
  EXPECT_DOUBLE_EQ(mean.Means()[0], (50 * 1.0 / 2 + 100 * 4.0) / (50.0 / 2 + 100));
}

TEST(RunningMeanTest, GoesOnWithTheSameBitsFromAfterAnyBatch) {
  RunningMean straight(2, 100);
  for (int batch = 0; batch < 5; ++batch) {
    StateCopy saved;
    straight.Visit(saved);
    saved.Load();
    RunningMean loaded(2, 100);
    loaded.Visit(saved);
    for (RunningMean* mean : {&straight, &loaded}) {
      mean->Add(std::vector<double>{0.1 * batch, 1.0 / 3}, 30 + batch);
    }
    EXPECT_EQ(loaded.Means(), straight.Means());
    EXPECT_EQ(loaded.rows, straight.rows);
  }
  StateCopy saved;
  straight.Visit(saved);
  saved.Load();
  RunningMean of_more_units(3, 100);
  EXPECT_THROW(of_more_units.Visit(saved), Error);
}

TEST(RunningMeanTest, HalfLifeIsABatchAndSomeHundredRowsAtLeast) {
  EXPECT_EQ(DefaultHalfLife(16), 512);
  EXPECT_EQ(DefaultHalfLife(10'000), 10'000);
}

}  // namespace
}  // namespace rhohat
