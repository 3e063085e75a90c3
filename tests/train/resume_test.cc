// Runs that are stopped again and again, in the middle of passes too, and come to what an
// uninterrupted run comes to.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/atomic_file.h"
#include "rhohat/error.h"
#include "rhohat/train.h"
#include "tests/support/recorder.h"
#include "tests/support/run_outcome.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/waves.h"
#include "train/checkpoint_files.h"

namespace rhohat {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Runs until it is finished, with a stop after so many blocks each time. Returns the stops.
int64_t RunWithStops(TrainOptions options, int64_t blocks) {
  options.resume = "auto";
  for (int64_t stops = 0; stops < 5000; ++stops) {
    Stopper stopper(blocks);
    try {
      Train(options, {&stopper, &stopper.stop});
      EXPECT_THAT(stopper.warnings, IsEmpty());
      return stops;
    } catch (const Stopped& stopped) {
      EXPECT_EQ(stopped.exit_code(), 75);
    }
    EXPECT_FALSE(fs::exists(options.run_directory + "/model.safetensors"));
    EXPECT_LE(ListCheckpoints(options.run_directory).size(), 2U);
  }
  ADD_FAILURE() << "does not get on";
  return 0;
}

struct Case {
  std::string name;
  std::function<void(TrainOptions&)> change;
};

std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.name; }

void UseMethods(TrainOptions& options, std::vector<OptimizerKind> methods) {
  options.optimizer.methods = std::move(methods);
}

const Case kCases[] = {
    {"Lbfgs", [](TrainOptions& o) { UseMethods(o, {OptimizerKind::kLbfgs}); }},
    {"LbfgsTwoPass",
     [](TrainOptions& o) {
       UseMethods(o, {OptimizerKind::kLbfgs});
       o.compute.schedule = Schedule::kTwoPass;
     }},
    {"LbfgsFusedFloat64",
     [](TrainOptions& o) {
       UseMethods(o, {OptimizerKind::kLbfgs});
       o.compute.schedule = Schedule::kFused;
       o.compute.precision = Precision::kFloat64;
     }},
    {"ConjugateGradient",
     [](TrainOptions& o) { UseMethods(o, {OptimizerKind::kConjugateGradient}); }},
    {"GradientDescent", [](TrainOptions& o) { UseMethods(o, {OptimizerKind::kGradientDescent}); }},
    {"Progressive",
     [](TrainOptions& o) {
       o.optimizer.first_sample = 12;
       o.optimizer.growth = 2;
       o.optimizer.iterations = 12;
     }},
    {"Sgd", [](TrainOptions& o) { UseMethods(o, {OptimizerKind::kSgd}); }},
    {"AdamWithAWindow",
     [](TrainOptions& o) {
       UseMethods(o, {OptimizerKind::kAdam});
       o.optimizer.mix_rows = 20;
     }},
    {"AdamWithExactMeans",
     [](TrainOptions& o) {
       UseMethods(o, {OptimizerKind::kAdam});
       o.optimizer.rho_hat = RhoHatKind::kExact;
       o.optimizer.mix_rows = 20;
       o.objective.noise = {NoiseKind::kMask, 0.2};
     }},
    {"AdamThenLbfgs",
     [](TrainOptions& o) {
       UseMethods(o, {OptimizerKind::kAdam, OptimizerKind::kLbfgs});
     }},
    {"GreedyWithEverything",
     [](TrainOptions& o) {
       UseMethods(o, {OptimizerKind::kAdam, OptimizerKind::kLbfgs});
       o.network.hidden = {7, 5};
       o.network.tied = true;
       o.network.decoder = Activation::kLinear;
       o.greedy = true;
       o.prepare = {.kind = PreparationKind::kZca, .epsilon = 0.1};
       o.objective.noise = {NoiseKind::kSaltPepper, 0.2};
     }},
    {"PreparedGlobal", [](TrainOptions& o) { o.prepare = {.kind = PreparationKind::kGlobal}; }},
};

class ResumeTest : public testing::TestWithParam<Case> {};

TEST_P(ResumeTest, StopsChangeNothing) {
  const TemporaryFolder folder;
  TrainOptions options = WaveTraining(folder / "w.h5", folder / "whole");
  options.optimizer.epochs = 3;
  options.optimizer.batch_rows = 16;
  GetParam().change(options);
  Train(options, {});
  const Outcome expected = OutcomeOf(folder / "whole");
  for (const int64_t blocks : {1, 7}) {
    options.run_directory = folder / ("run" + std::to_string(blocks));
    const int64_t stops = RunWithStops(options, blocks);
    if (blocks == 1) {
      EXPECT_GT(stops, 5);
    }
    SCOPED_TRACE(std::to_string(blocks) + " blocks at a time, " + std::to_string(stops) + " stops");
    ExpectSame(OutcomeOf(options.run_directory), expected);
  }
}

// Checkpoints at every block, none of which is ever used.
TEST_P(ResumeTest, CheckpointsChangeNothing) {
  const TemporaryFolder folder;
  TrainOptions options = WaveTraining(folder / "w.h5", folder / "whole");
  GetParam().change(options);
  Train(options, {});
  const Outcome expected = OutcomeOf(folder / "whole");
  options.run_directory = folder / "run";
  options.job.checkpoint_seconds = 0;
  options.job.keep_checkpoints = 3;
  Train(options, {});
  ExpectSame(OutcomeOf(folder / "run"), expected);
  EXPECT_EQ(ListCheckpoints(folder / "run").size(), 3U);
}

INSTANTIATE_TEST_SUITE_P(Methods, ResumeTest, testing::ValuesIn(kCases),
                         [](const auto& test) { return test.param.name; });

// A run of L-BFGS, stopped after its third iteration.
TrainOptions StoppedRun(const TemporaryFolder& folder) {
  TrainOptions options = WaveTraining(folder / "w.h5", folder / "run");
  options.optimizer.methods = {OptimizerKind::kLbfgs};
  options.job.keep_checkpoints = 3;
  options.job.checkpoint_seconds = 0;
  Stopper stopper(-1, 3);
  EXPECT_THROW(Train(options, {&stopper, &stopper.stop}), Stopped);
  options.resume = "auto";
  return options;
}

std::string WholeRun(const TemporaryFolder& folder, TrainOptions options) {
  options.run_directory = folder / "whole";
  options.resume = "never";
  return ReadWholeFile(Train(options, {}).model_path);
}

void FlipByte(const fs::path& path, int64_t at) {
  std::string bytes = ReadWholeFile(path);
  bytes[static_cast<size_t>(at)] = static_cast<char>(bytes[static_cast<size_t>(at)] ^ 1);
  AtomicFile file(path);
  file.Write(bytes);
  file.Commit();
}

TEST(ResumeFromTest, ADamagedCheckpointIsSetAsideAndTheOneBeforeUsed) {
  const TemporaryFolder folder;
  const TrainOptions options = StoppedRun(folder);
  const fs::path latest = ListCheckpoints(folder / "run").front().path;
  FlipByte(latest, 1000);
  Stopper again;
  const TrainResult result = Train(options, {&again, &again.stop});
  EXPECT_EQ(ReadWholeFile(result.model_path), WholeRun(folder, options));
  EXPECT_THAT(again.warnings, ElementsAre(HasSubstr(latest.filename().string())));
  EXPECT_TRUE(fs::exists(latest.string() + ".damaged"));
}

TEST(ResumeFromTest, NoSoundCheckpointIsBadData) {
  const TemporaryFolder folder;
  const TrainOptions options = StoppedRun(folder);
  for (const CheckpointFile& file : ListCheckpoints(folder / "run")) FlipByte(file.path, 500);
  try {
    Train(options, {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadData);
    EXPECT_THAT(error.what(), HasSubstr("cannot go on from any of its checkpoints"));
    EXPECT_THAT(error.what(), HasSubstr("of the latest: "));
  }
}

// As after a power failure that took what was written last.
TEST(ResumeFromTest, ACheckpointWhoseMetricsAreLostIsPassedOver) {
  const TemporaryFolder folder;
  const TrainOptions options = StoppedRun(folder);
  const fs::path metrics = folder / "run/metrics.jsonl";
  fs::resize_file(metrics, fs::file_size(metrics) - 5);
  Stopper again;
  const TrainResult result = Train(options, {&again, &again.stop});
  EXPECT_EQ(ReadWholeFile(result.model_path), WholeRun(folder, options));
  EXPECT_EQ(again.lines.front().iteration, 3);
  EXPECT_THAT(again.warnings, ElementsAre(HasSubstr("metrics.jsonl: expected at least")));
}

TEST(ResumeFromTest, LinesAfterTheCheckpointAreWrittenAnew) {
  const TemporaryFolder folder;
  const TrainOptions options = StoppedRun(folder);
  AppendFile(folder / "run/metrics.jsonl").Append("{\"iteration\":4,\"half");
  Train(options, {});
  const Outcome outcome = OutcomeOf(folder / "run");
  EXPECT_EQ(outcome.metrics.size(), 6U);
}

TEST(ResumeFromTest, ARunWithoutACheckpointBeginsAnewAndSaysSo) {
  const TemporaryFolder folder;
  const TrainOptions options = StoppedRun(folder);
  fs::remove_all(folder / "run/checkpoints");
  Stopper again;
  const TrainResult result = Train(options, {&again, &again.stop});
  EXPECT_EQ(again.lines.size(), 6U);
  EXPECT_THAT(again.notes, testing::Contains(HasSubstr("begins anew")));
  EXPECT_EQ(ReadWholeFile(result.model_path), WholeRun(folder, options));
}

TEST(ResumeFromTest, OtherDataIsRefusedAndTheSameDataElsewhereIsNot) {
  const TemporaryFolder folder;
  TrainOptions options = StoppedRun(folder);
  WholeRun(folder, options);
  const Model expected = LoadModel(folder / "whole/model.safetensors");
  std::vector<float> waves = Waves();
  waves[500] += 0.01F;
  WriteRows<float>(folder / "w.h5", {ElementKind::kFloat32, false}, kWaveColumns, waves, 13);
  try {
    Train(options, {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadData);
    EXPECT_THAT(error.what(), HasSubstr("other values than when the run began"));
  }
  WriteRows<float>(folder / "moved.h5", {ElementKind::kFloat32, false}, kWaveColumns, Waves(), 13);
  options.data.files = {folder / "moved.h5"};
  EXPECT_EQ(Train(options, {}).model.parameters, expected.parameters);
}

TEST(ResumeFromTest, AnotherConfigurationIsRefusedByName) {
  const TemporaryFolder folder;
  TrainOptions options = StoppedRun(folder);
  options.objective.lambda = 0.5;
  try {
    Train(options, {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_THAT(error.what(), HasSubstr("lambda: expected 0.5, found 0.0001"));
  }
}

TEST(ResumeFromTest, AConfigurationThatWasEditedIsRefusedByName) {
  const TemporaryFolder folder;
  TrainOptions options = StoppedRun(folder);
  const fs::path path = folder / "run/config.toml";
  std::string config = ReadWholeFile(path);
  const std::string entry = "lambda = 0.0001";
  config.replace(config.find(entry), entry.size(), "lambda = 0.0002");
  AtomicFile file(path);
  file.Write(config);
  file.Commit();
  options.objective.lambda = 0.0002;
  try {
    Train(options, {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_THAT(error.what(), HasSubstr("lambda: expected 0.0002, found 0.0001"));
  }
}

TEST(ResumeFromTest, WhatAKilledProcessWasWritingIsRemoved) {
  const TemporaryFolder folder;
  const TrainOptions options = StoppedRun(folder);
  const std::string run = folder / "run/";
  for (const char* name : {".model.safetensors.17.part",
                           "checkpoints/.checkpoint-000099.safetensors.17.part", "notes.part"}) {
    AppendFile(run + name).Append("half");
  }
  Train(options, {});
  EXPECT_FALSE(fs::exists(run + ".model.safetensors.17.part"));
  EXPECT_FALSE(fs::exists(run + "checkpoints/.checkpoint-000099.safetensors.17.part"));
  EXPECT_TRUE(fs::exists(run + "notes.part"));
}

// Of whoever sets what stops a run in which process, the result knows nothing.
TEST(ResumeFromTest, SamplesAreThoseOfTheFirstStartWhateverTheMemory) {
  const TemporaryFolder folder;
  TrainOptions options = WaveTraining(folder / "w.h5", folder / "run");
  options.optimizer.first_sample = 12;
  options.optimizer.growth = 2;
  Stopper stopper(-1, 3);
  EXPECT_THROW(Train(options, {&stopper, &stopper.stop}), Stopped);
  options.resume = "auto";
  options.resources.memory_bytes = uint64_t{1} << 30;
  const std::string model = ReadWholeFile(Train(options, {}).model_path);
  EXPECT_EQ(model, WholeRun(folder, options));
  EXPECT_EQ(ReadWholeFile(Train(options, {}).model_path), model) << "it is finished";
}

TEST(ResumeFromTest, TheTimeLimitStopsARunWithACheckpoint) {
  const TemporaryFolder folder;
  TrainOptions options = WaveTraining(folder / "w.h5", folder / "run");
  options.optimizer.methods = {OptimizerKind::kGradientDescent};
  options.optimizer.iterations = 1'000'000'000;
  options.optimizer.tolerance = 0;
  options.job.stop_code = 99;
  options.resume = "auto";
  // A machine may be too busy to get anywhere in so short a time, but not in ever more of it.
  for (options.job.max_seconds = 0.3; CountLines(folder / "run") < 2;
       options.job.max_seconds *= 4) {
    try {
      Train(options, {});
      FAIL();
    } catch (const Stopped& stopped) {
      EXPECT_EQ(stopped.exit_code(), 99);
      EXPECT_THAT(stopped.what(), HasSubstr("--max-time"));
    }
  }
  EXPECT_GT(LoadModel(ListCheckpoints(folder / "run").front().path.string()).iterations, 0);
}

TEST(ResumeFromTest, AStopBeforeTheFirstEvaluationLeavesACheckpointWithoutAModel) {
  const TemporaryFolder folder;
  TrainOptions options = WaveTraining(folder / "w.h5", folder / "run");
  options.prepare = {.kind = PreparationKind::kStandardize};
  options.network.decoder = Activation::kLinear;
  Stopper stopper;
  stopper.stop = true;
  EXPECT_THROW(Train(options, {&stopper, &stopper.stop}), Stopped);
  const std::string checkpoint = ListCheckpoints(folder / "run").front().path.string();
  try {
    LoadModel(checkpoint);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("it has no model yet"));
  }
  options.resume = "auto";
  const std::string model = ReadWholeFile(Train(options, {}).model_path);
  EXPECT_EQ(model, WholeRun(folder, options));
}

}  // namespace
}  // namespace rhohat
