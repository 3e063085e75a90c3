#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "base/atomic_file.h"
#include "rhohat/error.h"
#include "rhohat/train.h"
#include "tests/support/recorder.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/waves.h"
#include "train/checkpoint_files.h"

namespace rhohat {
namespace {

using testing::Contains;
using testing::HasSubstr;

constexpr int64_t kFirst = 12;

TrainOptions Progressive(const TemporaryFolder& folder, const std::string& run) {
  TrainOptions options = WaveTraining(folder / "w.h5", folder / run);
  options.optimizer.methods = {OptimizerKind::kProgressive};
  options.optimizer.first_sample = kFirst;
  options.optimizer.growth = 2;
  options.optimizer.iterations = 30;
  return options;
}

TEST(ProgressiveTest, SamplesGrowAndTheLastStageIsExact) {
  const TemporaryFolder folder;
  Recorder recorder;
  const TrainResult result = Train(Progressive(folder, "run"), {&recorder, &recorder.stop});
  std::vector<int64_t> sizes;
  for (const IterationMetrics& line : recorder.lines) {
    EXPECT_EQ(line.optimizer, "progressive");
    EXPECT_EQ(line.cost_over,
              line.rows_in_sample == kWaveRows ? CostOver::kAllRows : CostOver::kSample);
    if (sizes.empty() || sizes.back() != line.rows_in_sample) sizes.push_back(line.rows_in_sample);
  }
  std::vector<int64_t> expected;
  for (int64_t rows = kFirst; rows <= kWaveRows / 2; rows *= 2) expected.push_back(rows);
  ASSERT_GE(expected.size(), 2U);
  expected.push_back(kWaveRows);
  EXPECT_EQ(sizes, expected);

  const Model& model = result.model;
  EXPECT_EQ(model.cost, recorder.lines.back().cost.total());
  EXPECT_EQ(model.optimizer.sample_limit, std::max(expected[expected.size() - 2], 2 * kFirst));
}

TEST(ProgressiveTest, CountsTheRowsThatWereEvaluated) {
  const TemporaryFolder folder;
  Recorder recorder;
  TrainOptions options = Progressive(folder, "run");
  options.optimizer.iterations = 9;  // too few for any row outside the sample to be looked at
  Train(options, {&recorder, &recorder.stop});
  double rows = 0;
  for (const IterationMetrics& line : recorder.lines) {
    rows += static_cast<double>(line.rows_in_sample);
    EXPECT_GE(line.data_passes * kWaveRows, rows * (1 - 1e-12));
  }
  EXPECT_DOUBLE_EQ(recorder.lines.front().data_passes, static_cast<double>(kFirst) / kWaveRows);
}

TEST(ProgressiveTest, TheModelFileHasTheSameBytesForAnyNumberOfThreads) {
  const TemporaryFolder folder;
  std::set<std::string> files;
  for (const int64_t threads : {1, 2, 5}) {
    TrainOptions options = Progressive(folder, "run" + std::to_string(threads));
    options.resources.threads = threads;
    options.objective.noise = {.kind = NoiseKind::kMask, .amount = 0.2};
    files.insert(ReadWholeFile(Train(options, {}).model_path));
  }
  EXPECT_EQ(files.size(), 1U);
}

TEST(ProgressiveTest, TheDataAreReadOnceForAllSamples) {
  const TemporaryFolder folder;
  Recorder recorder;
  Train(Progressive(folder, "run"), {&recorder, &recorder.stop});
  const auto of_samples = [](const IterationMetrics& line) {
    return line.cost_over == CostOver::kSample;
  };
  const uint64_t once = recorder.lines.front().bytes_read;
  EXPECT_GT(once, 0U);
  for (const IterationMetrics& line : recorder.lines) {
    if (of_samples(line)) {
      EXPECT_EQ(line.bytes_read, once);
    }
  }
  EXPECT_GE(recorder.lines.back().bytes_read, 2 * once);
}

TEST(ProgressiveTest, IsPlainLbfgsWhereThereAreTooFewRows) {
  const TemporaryFolder folder;
  TrainOptions options = Progressive(folder, "progressive");
  options.optimizer.first_sample = kWaveRows;
  Recorder progressive, plain;
  Train(options, {&progressive, &progressive.stop});
  options.optimizer.methods = {OptimizerKind::kLbfgs};
  options.run_directory = folder / "plain";
  Train(options, {&plain, &plain.stop});
  ASSERT_EQ(progressive.lines.size(), plain.lines.size());
  EXPECT_EQ(progressive.lines.back().cost.total(), plain.lines.back().cost.total());
  EXPECT_THAT(progressive.notes, Contains(HasSubstr("too few rows for samples")));
}

TEST(ProgressiveTest, NoIterationsEvaluateAllRowsOnce) {
  const TemporaryFolder folder;
  TrainOptions options = Progressive(folder, "run");
  options.optimizer.iterations = 0;
  Recorder recorder;
  Train(options, {&recorder, &recorder.stop});
  ASSERT_EQ(recorder.lines.size(), 1U);
  EXPECT_EQ(recorder.lines.front().data_passes, 1);
  EXPECT_EQ(recorder.lines.front().cost_over, CostOver::kAllRows);
}

// Rows are held as they come from the preparation, or from the layers below.
TEST(ProgressiveTest, TrainsOnPreparedRowsAndInLayers) {
  const TemporaryFolder folder;
  TrainOptions options = Progressive(folder, "run");
  options.prepare = {.kind = PreparationKind::kGlobal};
  options.network.hidden = {6, 3};
  options.greedy = true;
  Recorder recorder;
  Train(options, {&recorder, &recorder.stop});
  for (const std::string stage : {"layer 1", "layer 2", "fine-tuning"}) {
    const auto is_of_stage = [&](const IterationMetrics& line) { return line.stage == stage; };
    const auto first = std::ranges::find_if(recorder.lines, is_of_stage);
    const auto last = std::find_if_not(first, recorder.lines.end(), is_of_stage) - 1;
    EXPECT_EQ(first->rows_in_sample, kFirst) << stage;
    EXPECT_EQ(last->rows_in_sample, kWaveRows) << stage;
    EXPECT_LT(last->cost.total(), first->cost.total()) << stage;
  }
}

TEST(ProgressiveTest, AStopInASampleLeavesWhatIsReached) {
  const TemporaryFolder folder;
  Recorder recorder;
  recorder.stop_at = 3;
  EXPECT_THROW(Train(Progressive(folder, "run"), {&recorder, &recorder.stop}), Stopped);
  const Model kept = LoadModel(ListCheckpoints(folder / "run").front().path.string());
  EXPECT_EQ(kept.iterations, 3);
  EXPECT_EQ(kept.cost, recorder.lines.at(3).cost.total());
}

// Two thousand rows of six waves each.
void WriteManyWaves(const std::string& path) {
  std::vector<float> values;
  for (int64_t row = 0; row < 2000; ++row) {
    for (int64_t column = 0; column < kWaveColumns; ++column) {
      double sum = 0;
      for (int64_t wave = 1; wave <= 6; ++wave) {
        const double height = std::sin(0.7 * static_cast<double>(row * wave * wave));
        sum += height * std::sin(0.5 * static_cast<double>(column * wave));
      }
      values.push_back(static_cast<float>(0.5 + 0.06 * sum));
    }
  }
  WriteRows<float>(path, {ElementKind::kFloat32, false}, kWaveColumns, values, 100);
}

TEST(ProgressiveTest, ReachesWhatPlainLbfgsReachesInAThirdOfTheDataPasses) {
  const TemporaryFolder folder;
  Recorder progressive, plain;
  TrainOptions options = Progressive(folder, "progressive");
  WriteManyWaves(folder / "many.h5");
  options.data.files = {folder / "many.h5"};
  options.optimizer.first_sample = 50;
  options.optimizer.growth = 4;
  options.optimizer.iterations = 200;
  Train(options, {&progressive, &progressive.stop});
  options.optimizer.methods = {OptimizerKind::kLbfgs};
  options.run_directory = folder / "plain";
  Train(options, {&plain, &plain.stop});
  const auto exact =
      std::ranges::find(progressive.lines, CostOver::kAllRows, &IterationMetrics::cost_over);
  ASSERT_NE(exact, progressive.lines.end());
  const auto as_low = std::ranges::find_if(plain.lines, [&](const IterationMetrics& line) {
    return line.cost.total() <= exact->cost.total();
  });
  ASSERT_NE(as_low, plain.lines.end());
  EXPECT_LT(exact->data_passes, as_low->data_passes / 3);
}

}  // namespace
}  // namespace rhohat
