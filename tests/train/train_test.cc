#include "rhohat/train.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <vector>

#include "base/atomic_file.h"
#include "rhohat/error.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/waves.h"

namespace rhohat {
namespace {

class Recorder : public RunObserver {
 public:
  void OnIteration(const IterationMetrics& metrics) override {
    iterations.push_back(metrics);
    if (metrics.iteration == stop_at) stop = true;
  }
  void OnWarning(const std::string& line) override { warnings.push_back(line); }
  void OnPassProgress(const PassProgress& progress) override { last_progress = progress; }

  std::vector<IterationMetrics> iterations;
  std::vector<std::string> warnings;
  PassProgress last_progress;
  int64_t stop_at = -1;
  std::atomic<bool> stop = false;
};

TEST(TrainTest, EveryIterationIsReportedOnceAndLowersTheCost) {
  const TemporaryFolder folder;
  Recorder recorder;
  const TrainResult result =
      Train(WaveTraining(folder / "w.h5", folder / "run"), {&recorder, &recorder.stop});
  ASSERT_EQ(recorder.iterations.size(), 6U);
  for (size_t i = 0; i < recorder.iterations.size(); ++i) {
    const IterationMetrics& metrics = recorder.iterations[i];
    EXPECT_EQ(metrics.iteration, static_cast<int64_t>(i));
    EXPECT_EQ(metrics.rows_in_sample, kWaveRows);
    EXPECT_NEAR(metrics.cost, metrics.reconstruction + metrics.weight_decay + metrics.sparsity,
                1e-12);
    if (i > 0) {
      EXPECT_LT(metrics.cost, recorder.iterations[i - 1].cost);
    }
  }
  EXPECT_EQ(result.last.cost, recorder.iterations.back().cost);
  EXPECT_EQ(result.model.cost, result.last.cost);
  EXPECT_EQ(recorder.last_progress.rows_done, 2 * kWaveRows);
  EXPECT_EQ(recorder.last_progress.rows_total, 2 * kWaveRows);
  EXPECT_TRUE(recorder.warnings.empty());
}

TEST(TrainTest, TheModelFileHasTheSameBytesForAnyNumberOfThreads) {
  const TemporaryFolder folder;
  TrainOptions options = WaveTraining(folder / "w.h5", "");
  std::vector<std::string> files;
  for (const int64_t threads : {1, 2, 3, 8}) {
    options.resources.threads = threads;
    options.run_directory = folder / ("run" + std::to_string(threads));
    files.push_back(ReadWholeFile(Train(options, {}).model_path));
    EXPECT_EQ(files.back(), files.front()) << threads << " threads";
  }
}

TEST(TrainTest, AStopLeavesTheLastIterationAsAModelAndNoFinishedOne) {
  const TemporaryFolder folder;
  TrainOptions options = WaveTraining(folder / "w.h5", folder / "run");
  options.optimizer.iterations = 1000;
  options.optimizer.tolerance = 0;
  Recorder recorder;
  recorder.stop_at = 3;
  EXPECT_THROW(Train(options, {&recorder, &recorder.stop}), Stopped);
  EXPECT_FALSE(std::filesystem::exists(folder / "run/model.safetensors"));
  const Model kept = LoadModel(folder / "run/checkpoints/interrupted.safetensors");
  EXPECT_EQ(kept.iterations, 3);
  EXPECT_EQ(kept.cost, recorder.iterations.at(3).cost);
}

TEST(TrainTest, AStopBeforeTheFirstEvaluationLeavesNoModel) {
  const TemporaryFolder folder;
  Recorder recorder;
  recorder.stop = true;
  EXPECT_THROW(Train(WaveTraining(folder / "w.h5", folder / "run"), {&recorder, &recorder.stop}),
               Stopped);
  EXPECT_FALSE(std::filesystem::exists(folder / "run/checkpoints"));
}

TEST(TrainTest, DataOutOfTheDecodersReachIsWarnedOf) {
  const TemporaryFolder folder;
  TrainOptions options = WaveTraining(folder / "w.h5", folder / "run");
  WriteRows<uint8_t>(folder / "bytes.h5", {ElementKind::kUint8, false}, 4,
                     std::vector<uint8_t>{0, 255, 3, 4, 5, 6, 7, 8});
  options.data.files = {folder / "bytes.h5"};
  options.optimizer.iterations = 0;
  Recorder recorder;
  Train(options, {&recorder, &recorder.stop});
  ASSERT_EQ(recorder.warnings.size(), 1U);
  EXPECT_NE(recorder.warnings[0].find("--scale 1/255"), std::string::npos);
}

TEST(TrainTest, GradientDescentTrainsToo) {
  const TemporaryFolder folder;
  TrainOptions options = WaveTraining(folder / "w.h5", folder / "run");
  options.optimizer = {.kind = OptimizerKind::kGradientDescent, .iterations = 30};
  Recorder recorder;
  Train(options, {&recorder, &recorder.stop});
  EXPECT_LT(recorder.iterations.back().cost, recorder.iterations.front().cost);
}

TEST(TrainTest, ARunFolderIsAskedFor) {
  const TemporaryFolder folder;
  EXPECT_THROW(Train(WaveTraining(folder / "w.h5", ""), {}), Error);
}

}  // namespace
}  // namespace rhohat
