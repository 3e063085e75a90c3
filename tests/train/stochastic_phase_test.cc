// Whole runs of stochastic methods on a small file.
#include "train/stochastic_phase.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

TrainOptions Stochastic(const TemporaryFolder& folder, OptimizerKind kind = OptimizerKind::kAdam) {
  TrainOptions options = WaveTraining(folder / "w.h5", folder / "run");
  options.optimizer.methods = {kind};
  options.optimizer.epochs = 6;
  options.optimizer.batch_rows = 20;
  options.optimizer.learning_rate = kind == OptimizerKind::kAdam ? 0.02 : 0.01;
  return options;
}

TEST(StochasticPhaseTest, LinesAreTheStartTheEpochsAndTheExactEnd) {
  for (const OptimizerKind kind : {OptimizerKind::kAdam, OptimizerKind::kSgd}) {
    const TemporaryFolder folder;
    Recorder recorder;
    const TrainResult result = Train(Stochastic(folder, kind), {&recorder, &recorder.stop});
    ASSERT_EQ(recorder.lines.size(), 8U);
    for (size_t i = 0; i < 8; ++i) {
      const IterationMetrics& line = recorder.lines[i];
      EXPECT_EQ(line.iteration, static_cast<int64_t>(i));
      const bool exact = i == 0 || i == 7;
      EXPECT_EQ(line.cost_over, exact ? CostOver::kAllRows : CostOver::kEpoch);
      EXPECT_EQ(line.rows_in_sample, kWaveRows);
      EXPECT_DOUBLE_EQ(line.data_passes, static_cast<double>(i + 1));
      EXPECT_GT(line.gradient_norm, 0);
    }
    EXPECT_LT(recorder.lines[7].cost.total(), 0.9 * recorder.lines[0].cost.total());
    EXPECT_EQ(result.model.cost, recorder.lines[7].cost.total());
    EXPECT_THAT(recorder.notes, Contains(HasSubstr("batches of 20 rows, from all rows in memory")));
  }
}

TEST(StochasticPhaseTest, TheModelFileHasTheSameBytesForAnyNumberOfThreads) {
  for (const Precision precision : {Precision::kFloat32, Precision::kFloat64}) {
    for (const int64_t mix_rows : {30, 0}) {
      const TemporaryFolder folder;
      TrainOptions options = Stochastic(folder);
      options.optimizer.mix_rows = mix_rows;
      options.compute.precision = precision;
      options.objective.noise = {NoiseKind::kMask, 0.2};
      std::vector<std::string> files;
      for (const int64_t threads : {1, 2, 5}) {
        options.resources.threads = threads;
        options.run_directory = folder / ("run" + std::to_string(threads));
        files.push_back(ReadWholeFile(Train(options, {}).model_path));
        EXPECT_EQ(files.back(), files.front()) << threads << " threads";
      }
    }
  }
}

TEST(StochasticPhaseTest, RhoHatMayBeExactAtEachEpoch) {
  for (const int64_t mix_rows : {30, 0}) {
    const TemporaryFolder folder;
    TrainOptions options = Stochastic(folder);
    options.optimizer.mix_rows = mix_rows;
    options.optimizer.rho_hat = RhoHatKind::kExact;
    Recorder recorder;
    Train(options, {&recorder, &recorder.stop});
    ASSERT_EQ(recorder.lines.size(), 8U);
    // The first epoch's is that of the start.
    EXPECT_EQ(recorder.lines[1].rho_hat_mean, recorder.lines[0].rho_hat_mean);
    EXPECT_NE(recorder.lines[2].rho_hat_mean, recorder.lines[1].rho_hat_mean);
    EXPECT_LT(recorder.lines[7].cost.total(), 0.9 * recorder.lines[0].cost.total());
  }
}

TEST(StochasticPhaseTest, WhatFitsIsReadOnce) {
  const TemporaryFolder folder;
  Recorder recorder;
  Train(Stochastic(folder), {&recorder, &recorder.stop});
  EXPECT_EQ(recorder.lines.back().bytes_read, recorder.lines.front().bytes_read);
  TrainOptions options = Stochastic(folder);
  options.optimizer.mix_rows = 30;
  options.run_directory = folder / "window";
  Recorder window;
  Train(options, {&window, &window.stop});
  EXPECT_GE(window.lines.back().bytes_read, 8 * recorder.lines.back().bytes_read);
}

TEST(StochasticPhaseTest, AnotherMethodGoesOnFromThere) {
  const TemporaryFolder folder;
  TrainOptions options = Stochastic(folder);
  options.optimizer.methods = {OptimizerKind::kAdam, OptimizerKind::kLbfgs};
  options.optimizer.iterations = 3;
  Recorder recorder;
  Train(options, {&recorder, &recorder.stop});
  ASSERT_EQ(recorder.lines.size(), 12U);
  EXPECT_EQ(recorder.lines[7].optimizer, "adam");
  EXPECT_EQ(recorder.lines[8].optimizer, "lbfgs");
  EXPECT_NEAR(recorder.lines[8].cost.total(), recorder.lines[7].cost.total(), 1e-5);
  EXPECT_LT(recorder.lines[11].cost.total(), recorder.lines[8].cost.total());
}

TEST(StochasticPhaseTest, GreedyLayersAndPreparedRowsAreTrainedOn) {
  for (const int64_t mix_rows : {30, 0}) {
    const TemporaryFolder folder;
    TrainOptions options = Stochastic(folder);
    options.network.hidden = {6, 3};
    options.greedy = true;
    options.prepare.kind = PreparationKind::kStandardize;
    options.network.decoder = Activation::kLinear;
    options.optimizer.mix_rows = mix_rows;
    Recorder recorder;
    Train(options, {&recorder, &recorder.stop});
    ASSERT_EQ(recorder.lines.size(), 24U);
    for (const size_t stage : {0, 8, 16}) {
      EXPECT_LT(recorder.lines[stage + 7].cost.total(), recorder.lines[stage].cost.total());
    }
  }
}

TEST(StochasticPhaseTest, AStopLeavesTheLastEpochAsAModel) {
  const TemporaryFolder folder;
  TrainOptions options = Stochastic(folder);
  options.optimizer.epochs = 1000;
  Recorder recorder;
  recorder.stop_at = 3;
  EXPECT_THROW(Train(options, {&recorder, &recorder.stop}), Stopped);
  const Model kept = LoadModel(ListCheckpoints(folder / "run").front().path.string());
  EXPECT_EQ(kept.iterations, 3);
  EXPECT_EQ(kept.cost, recorder.lines.at(3).cost.total());
}

TEST(StochasticPhaseTest, DivergenceIsAUsageErrorThatNamesTheEpoch) {
  const TemporaryFolder folder;
  TrainOptions options = Stochastic(folder, OptimizerKind::kSgd);
  options.network.activation = Activation::kLinear;
  options.network.decoder = Activation::kLinear;
  options.objective.beta = {0};
  options.optimizer.learning_rate = 1e6;
  try {
    Train(options, {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_THAT(error.what(), HasSubstr("diverged"));
    EXPECT_THAT(error.what(), HasSubstr("--learning-rate"));
  }
}

TEST(StochasticPhaseTest, TheWindowIsResolvedAndRecorded) {
  const TemporaryFolder folder;
  Train(Stochastic(folder), {});
  EXPECT_THAT(ReadWholeFile(folder / "run/config.toml"), HasSubstr("mix = 90"));
}

}  // namespace
}  // namespace rhohat
