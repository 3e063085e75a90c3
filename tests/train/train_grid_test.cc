// Each model of a grid is, bit for bit, the one that is trained alone with the same options.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "rhohat/error.h"
#include "rhohat/grid.h"
#include "tests/support/recorder.h"
#include "tests/support/run_outcome.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/waves.h"
#include "train/grid.h"

namespace rhohat {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Case {
  std::string name;
  std::vector<GridAxis> axes;
  std::function<void(TrainOptions&)> change;
};

std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.name; }

const std::vector<GridAxis> kFour = {{"rho", {"0.05", "0.1"}}, {"beta", {"1", "3"}}};

const Case kCases[] = {
    {"LbfgsCached", kFour, [](TrainOptions& o) { o.optimizer.methods = {OptimizerKind::kLbfgs}; }},
    {"LbfgsTwoPass", kFour,
     [](TrainOptions& o) {
       o.optimizer.methods = {OptimizerKind::kLbfgs};
       o.compute.schedule = Schedule::kTwoPass;
     }},
    // Some take two passes for a gradient, and others one.
    {"LbfgsWithAndWithoutSparsity",
     {{"beta", {"0", "3"}}, {"history", {"2", "20"}}},
     [](TrainOptions& o) {
       o.optimizer.methods = {OptimizerKind::kLbfgs};
       o.compute.schedule = Schedule::kTwoPass;
     }},
    {"LbfgsFusedFloat64", kFour,
     [](TrainOptions& o) {
       o.optimizer.methods = {OptimizerKind::kLbfgs};
       o.compute.schedule = Schedule::kFused;
       o.compute.precision = Precision::kFloat64;
     }},
    {"ConjugateGradient",
     {{"iterations", {"1", "4", "7"}}},
     [](TrainOptions& o) { o.optimizer.methods = {OptimizerKind::kConjugateGradient}; }},
    {"GradientDescent",
     {{"learning-rate", {"0.1", "1"}}, {"momentum", {"0", "0.9"}}},
     [](TrainOptions& o) { o.optimizer.methods = {OptimizerKind::kGradientDescent}; }},
    {"Progressive", kFour,
     [](TrainOptions& o) {
       o.optimizer.first_sample = 12;
       o.optimizer.growth = 2;
       o.optimizer.iterations = 12;
     }},
    {"ProgressiveThenLbfgs",
     {{"tolerance", {"0", "1e-2"}}, {"gradient-tolerance", {"0", "0.1"}}},
     [](TrainOptions& o) {
       o.optimizer.methods = {OptimizerKind::kProgressive, OptimizerKind::kLbfgs};
       o.optimizer.first_sample = 12;
       o.prepare = {.kind = PreparationKind::kStandardize};
       o.network.decoder = Activation::kLinear;
     }},
    {"WhitenedWithNoise",
     {{"noise", {"none", "salt-pepper:0.2", "salt-pepper:0.3", "mask:0.2"}}},
     [](TrainOptions& o) {
       o.optimizer.methods = {OptimizerKind::kLbfgs};
       o.network.decoder = Activation::kLinear;
       o.prepare = {.kind = PreparationKind::kZca, .epsilon = 0.1};
     }},
    {"PenaltiesThatDiffer",
     {{"kappa", {"0", "0.1"}}, {"gamma", {"0", "0.01"}}, {"lambda", {"0", "1e-3"}}},
     [](TrainOptions& o) { o.optimizer.methods = {OptimizerKind::kLbfgs}; }},
};

// What each model comes to alone.
std::vector<Outcome> Alone(const TrainOptions& options, const std::vector<GridAxis>& axes) {
  std::vector<Outcome> outcomes;
  TrainOptions elsewhere = options;
  elsewhere.run_directory += "-alone";
  for (const GridModel& model : GridModels(elsewhere, axes)) {
    Train(model.options, {});
    outcomes.push_back(OutcomeOf(model.options.run_directory));
  }
  return outcomes;
}

void ExpectAllSame(const TrainOptions& options, const std::vector<GridAxis>& axes,
                   const std::vector<Outcome>& expected) {
  const std::vector<GridModel> models = GridModels(options, axes);
  ASSERT_EQ(models.size(), expected.size());
  for (size_t i = 0; i < models.size(); ++i) {
    SCOPED_TRACE(models[i].name);
    ExpectSame(OutcomeOf(models[i].options.run_directory), expected[i]);
  }
}

// Until it is finished, with a stop after so many calls of progress each time.
int64_t RunWithStops(TrainOptions options, const std::vector<GridAxis>& axes, int64_t blocks) {
  options.resume = "auto";
  for (int64_t stops = 0; stops < 2000; ++stops) {
    Stopper stopper(blocks);
    try {
      TrainGrid(options, axes, {&stopper, &stopper.stop});
      EXPECT_THAT(stopper.warnings, IsEmpty());
      return stops;
    } catch (const Stopped& stopped) {
      EXPECT_EQ(stopped.exit_code(), 75);
      EXPECT_THAT(stopped.what(), HasSubstr("--resume auto"));
    }
  }
  ADD_FAILURE() << "does not get on";
  return 0;
}

class TrainGridTest : public testing::TestWithParam<Case> {};

TEST_P(TrainGridTest, EachModelIsTheOneTrainedAlone) {
  const TemporaryFolder folder;
  TrainOptions options = WaveTraining(folder / "w.h5", folder / "grid");
  GetParam().change(options);
  const std::vector<Outcome> expected = Alone(options, GetParam().axes);
  const auto results = TrainGrid(options, GetParam().axes, {});
  EXPECT_EQ(results.size(), expected.size());
  ExpectAllSame(options, GetParam().axes, expected);
}

TEST_P(TrainGridTest, StopsChangeNothing) {
  const TemporaryFolder folder;
  TrainOptions options = WaveTraining(folder / "w.h5", folder / "grid");
  GetParam().change(options);
  const std::vector<Outcome> expected = Alone(options, GetParam().axes);
  for (const int64_t blocks : {5, 60}) {
    options.run_directory = folder / ("grid" + std::to_string(blocks));
    const int64_t stops = RunWithStops(options, GetParam().axes, blocks);
    SCOPED_TRACE(std::to_string(stops) + " stops");
    if (blocks == 5) {
      EXPECT_GT(stops, 5);
    }
    ExpectAllSame(options, GetParam().axes, expected);
  }
}

INSTANTIATE_TEST_SUITE_P(Methods, TrainGridTest, testing::ValuesIn(kCases),
                         [](const auto& test) { return test.param.name; });

TrainOptions LbfgsGrid(const TemporaryFolder& folder) {
  TrainOptions options = WaveTraining(folder / "w.h5", folder / "grid");
  options.optimizer.methods = {OptimizerKind::kLbfgs};
  return options;
}

// A grid stopped after the third line of some model.
TrainOptions StoppedGrid(const TemporaryFolder& folder) {
  TrainOptions options = LbfgsGrid(folder);
  Stopper stopper(-1, 3);
  EXPECT_THROW(TrainGrid(options, kFour, {&stopper, &stopper.stop}), Stopped);
  options.resume = "auto";
  return options;
}

TEST(TrainGridFoldersTest, AModelOfAStoppedGridGoesOnAlone) {
  const TemporaryFolder folder;
  const TrainOptions options = StoppedGrid(folder);
  const std::vector<Outcome> expected = Alone(options, kFour);
  for (const GridModel& model : GridModels(options, kFour)) Train(model.options, {});
  ExpectAllSame(options, kFour, expected);
}

TEST(TrainGridFoldersTest, FinishedModelsStayAndTheOthersGoOn) {
  const TemporaryFolder folder;
  const TrainOptions options = StoppedGrid(folder);
  const std::vector<Outcome> expected = Alone(options, kFour);
  const std::vector<GridModel> models = GridModels(options, kFour);
  Train(models[1].options, {});
  fs::remove_all(models[2].options.run_directory);
  const auto before = fs::last_write_time(models[1].options.run_directory + "/model.safetensors");
  Stopper observer;
  const auto results = TrainGrid(options, kFour, {&observer, nullptr});
  EXPECT_THAT(observer.notes, Contains(HasSubstr("grid: 4 models, 1 of them finished already")));
  EXPECT_EQ(fs::last_write_time(models[1].options.run_directory + "/model.safetensors"), before);
  ExpectAllSame(options, kFour, expected);
  for (size_t i = 0; i < models.size(); ++i) {
    EXPECT_EQ(results[i].model_path, models[i].options.run_directory + "/model.safetensors");
  }
  EXPECT_EQ(TrainGrid(options, kFour, {}).size(), 4U) << "all are finished";
}

TEST(TrainGridFoldersTest, AGridMayGrow) {
  const TemporaryFolder folder;
  TrainOptions options = LbfgsGrid(folder);
  TrainGrid(options, {{"beta", {"1", "3"}}}, {});
  options.resume = "auto";
  const std::vector<GridAxis> more = {{"beta", {"1", "2", "3"}}};
  EXPECT_EQ(TrainGrid(options, more, {}).size(), 3U);
  ExpectAllSame(options, more, Alone(options, more));
}

TEST(TrainGridFoldersTest, AnOccupiedFolderIsRefusedAndNothingMade) {
  const TemporaryFolder folder;
  const TrainOptions options = LbfgsGrid(folder);
  TrainOptions last = GridModels(options, kFour).back().options;
  Train(last, {});
  try {
    TrainGrid(options, kFour, {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCannotCreate);
    EXPECT_THAT(error.what(), HasSubstr("rho=0.1,beta=3: already holds a finished run"));
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(folder / "grid"), {}), 1);
}

TEST(TrainGridFoldersTest, AFolderOfAGridIsNoOneModels) {
  const TemporaryFolder folder;
  TrainOptions options = LbfgsGrid(folder);
  EXPECT_FALSE(IsGridFolder(folder / "grid"));
  fs::create_directories(folder / "grid/rho=0.1");
  EXPECT_FALSE(IsGridFolder(folder / "grid"));
  std::ofstream(folder / "grid/rho=0.1/config.toml") << "x";
  EXPECT_TRUE(IsGridFolder(folder / "grid"));
  for (const char* resume : {"never", "auto"}) {
    options.resume = resume;
    try {
      Train(options, {});
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kCannotCreate);
      EXPECT_THAT(error.what(), HasSubstr("models of a grid"));
    }
  }
}

TEST(TrainGridFoldersTest, AFolderOfOneModelIsNoGrids) {
  const TemporaryFolder folder;
  const TrainOptions options = LbfgsGrid(folder);
  Train(options, {});
  EXPECT_THROW(TrainGrid(options, kFour, {}), Error);
}

TEST(TrainGridFailuresTest, AModelThatDivergesDoesNotEndTheOthers) {
  const TemporaryFolder folder;
  TrainOptions options = WaveTraining(folder / "w.h5", folder / "grid");
  options.optimizer.methods = {OptimizerKind::kGradientDescent};
  options.network.decoder = Activation::kLinear;
  options.network.activation = Activation::kLinear;
  options.objective.beta = {0};
  options.optimizer.iterations = 50;
  const std::vector<GridAxis> axes = {{"learning-rate", {"0.001", "1e30", "0.002"}}};
  Stopper observer;
  try {
    TrainGrid(options, axes, {&observer, nullptr});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_THAT(error.what(), HasSubstr("1 of 3 models failed; the first, learning-rate=1e30: "));
  }
  EXPECT_THAT(observer.warnings, ElementsAre(HasSubstr("after iteration")));
  for (const char* rate : {"0.001", "0.002"}) {
    const std::string run = folder / ("grid/learning-rate=" + std::string(rate));
    TrainOptions alone = options;
    alone.optimizer.learning_rate = std::stod(rate);
    alone.run_directory = folder / rate;
    Train(alone, {});
    ExpectSame(OutcomeOf(run), OutcomeOf(alone.run_directory));
  }
}

TEST(TrainGridFailuresTest, BadDataEndsAllModelsWithItsOwnErrorAndLeavesNothing) {
  for (const PreparationKind prepare : {PreparationKind::kNone, PreparationKind::kGlobal}) {
    const TemporaryFolder folder;
    TrainOptions options = LbfgsGrid(folder);
    options.prepare.kind = prepare;
    std::vector<float> waves = Waves();
    waves.back() = std::numeric_limits<float>::quiet_NaN();
    WriteRows<float>(folder / "w.h5", {ElementKind::kFloat32, false}, kWaveColumns, waves, 13);
    Stopper observer;
    try {
      TrainGrid(options, kFour, {&observer, nullptr});
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kBadData);
      EXPECT_THAT(error.what(),
                  testing::AllOf(HasSubstr("row 89"), testing::Not(HasSubstr("models failed"))));
    }
    EXPECT_EQ(observer.warnings.size(), 1U) << "told once";
    EXPECT_TRUE(!fs::exists(folder / "grid") || fs::is_empty(folder / "grid"));
  }
}

TEST(TrainGridFailuresTest, TheTimeLimitStopsAllModels) {
  const TemporaryFolder folder;
  TrainOptions options = WaveTraining(folder / "w.h5", folder / "grid");
  options.optimizer.methods = {OptimizerKind::kGradientDescent};
  options.optimizer.iterations = 1'000'000'000;
  options.optimizer.tolerance = 0;
  options.job.stop_code = 99;
  options.resume = "auto";
  const std::vector<GridModel> models = GridModels(options, kFour);
  const auto has_got_anywhere = [](const GridModel& model) {
    return CountLines(model.options.run_directory) >= 2;
  };
  // A machine may be too busy to get anywhere in so short a time, but not in ever more of it.
  for (options.job.max_seconds = 0.5; !std::ranges::all_of(models, has_got_anywhere);
       options.job.max_seconds *= 4) {
    try {
      TrainGrid(options, kFour, {});
      FAIL();
    } catch (const Stopped& stopped) {
      EXPECT_EQ(stopped.exit_code(), 99);
      EXPECT_THAT(stopped.what(), HasSubstr("--max-time: checkpoints of 4 models"));
    }
  }
  for (const GridModel& model : models) {
    const auto checkpoints = ListCheckpoints(model.options.run_directory);
    ASSERT_FALSE(checkpoints.empty());
    EXPECT_GT(LoadModel(checkpoints.front().path.string()).iterations, 0);
  }
}

// Of which model, and never two calls at a time.
class OneAtATime : public RunObserver {
 public:
  void OnModel(const std::string& name) override { model_ = name; }
  void OnIteration(const IterationMetrics& metrics) override {
    EXPECT_FALSE(busy_.exchange(true));
    lines[model_].push_back(metrics.iteration);
    busy_ = false;
  }
  void OnPassProgress(const PassProgress&) override {
    EXPECT_FALSE(busy_.exchange(true));
    busy_ = false;
  }
  std::map<std::string, std::vector<int64_t>> lines;

 private:
  std::string model_;
  std::atomic<bool> busy_ = false;
};

TEST(TrainGridObserverTest, LinesComeOneAtATimeAndOfANamedModel) {
  const TemporaryFolder folder;
  OneAtATime observer;
  TrainGrid(LbfgsGrid(folder), kFour, {&observer, nullptr});
  EXPECT_EQ(observer.lines.size(), 4U);
  for (const auto& [name, lines] : observer.lines) {
    EXPECT_THAT(lines, ElementsAre(0, 1, 2, 3, 4, 5)) << name;
  }
}

}  // namespace
}  // namespace rhohat
