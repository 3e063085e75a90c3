#include "rhohat/train.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "base/atomic_file.h"
#include "base/text.h"
#include "rhohat/error.h"
#include "tests/support/recorder.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/waves.h"
#include "train/checkpoint_files.h"

namespace rhohat {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(TrainTest, EveryIterationIsReportedOnceAndLowersTheCost) {
  const TemporaryFolder folder;
  Recorder recorder;
  const TrainResult result =
      Train(WaveTraining(folder / "w.h5", folder / "run"), {&recorder, &recorder.stop});
  ASSERT_EQ(recorder.lines.size(), 6U);
  for (size_t i = 0; i < recorder.lines.size(); ++i) {
    const IterationMetrics& metrics = recorder.lines[i];
    EXPECT_EQ(metrics.iteration, static_cast<int64_t>(i));
    EXPECT_EQ(metrics.rows_in_sample, kWaveRows);
    EXPECT_EQ(metrics.stage, "");
    if (i > 0) {
      EXPECT_LT(metrics.cost.total(), recorder.lines[i - 1].cost.total());
    }
  }
  EXPECT_EQ(result.last.cost.total(), recorder.lines.back().cost.total());
  EXPECT_EQ(result.model.cost, result.last.cost.total());
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
  const Model kept = LoadModel(ListCheckpoints(folder / "run").front().path.string());
  EXPECT_EQ(kept.iterations, 3);
  EXPECT_EQ(kept.cost, recorder.lines.at(3).cost.total());
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
  EXPECT_EQ(recorder.warnings[0],
            "the first 2 rows hold values from 0 to 255, but a sigmoid decoder can only reach 0 to "
            "1: scale the data ('--prepare range:0:255', or 'rhohat convert --scale 1/255' while "
            "it is converted), or choose --decoder linear");
}

// The warning is about rows as the network gets them.
TEST(TrainTest, DataThatPreparationBringsIntoReachIsNotWarnedOf) {
  const TemporaryFolder folder;
  TrainOptions options = WaveTraining(folder / "w.h5", folder / "run");
  WriteRows<uint8_t>(folder / "bytes.h5", {ElementKind::kUint8, false}, 4,
                     std::vector<uint8_t>{0, 255, 3, 4, 5, 6, 7, 8});
  options.data.files = {folder / "bytes.h5"};
  options.optimizer.iterations = 0;
  options.prepare = {.kind = PreparationKind::kRange, .low = 0, .high = 255};
  Recorder recorder;
  Train(options, {&recorder, &recorder.stop});
  EXPECT_THAT(recorder.warnings, IsEmpty());
  options.prepare = {.kind = PreparationKind::kStandardize};
  options.run_directory = folder / "standardized";
  Train(options, {&recorder, &recorder.stop});
  EXPECT_THAT(recorder.warnings,
              ElementsAre("the first 2 rows, prepared, hold values from -1 to 1, but a sigmoid "
                          "decoder can only reach 0 to 1: choose a --decoder that can, such as "
                          "linear, or another --prepare"));
  options.network.decoder = Activation::kLinear;
  options.run_directory = folder / "linear";
  Train(options, {&recorder, &recorder.stop});
  EXPECT_EQ(recorder.warnings.size(), 1U);
}

TEST(TrainTest, EveryOptimiserTrains) {
  for (const OptimizerKind kind : {OptimizerKind::kLbfgs, OptimizerKind::kConjugateGradient,
                                   OptimizerKind::kGradientDescent}) {
    const TemporaryFolder folder;
    TrainOptions options = WaveTraining(folder / "w.h5", folder / "run");
    options.optimizer = {.methods = {kind}, .iterations = 30};
    Recorder recorder;
    Train(options, {&recorder, &recorder.stop});
    EXPECT_LT(recorder.lines.back().cost.total(), recorder.lines.front().cost.total());
    EXPECT_THAT(recorder.warnings, IsEmpty());
  }
}

TEST(TrainTest, AMinimumAtTheStartIsNoCauseForAWarning) {
  const TemporaryFolder folder;
  TrainOptions options = WaveTraining(folder / "w.h5", folder / "run");
  options.optimizer.gradient_tolerance = 1e9;
  Recorder recorder;
  Train(options, {&recorder, &recorder.stop});
  EXPECT_EQ(recorder.lines.size(), 1U);
  EXPECT_THAT(recorder.warnings, IsEmpty());
}

// ---- Stacks ------------------------------------------------------------------------------------

// Three layers, learnt one after another.
TrainOptions Stack(const TemporaryFolder& folder, const std::string& run) {
  TrainOptions options = WaveTraining(folder / "w.h5", folder / run);
  options.network.hidden = {7, 5, 3};
  options.objective.rho = {0.2, 0.3, 0.4};
  options.optimizer.iterations = 4;
  options.greedy = true;
  options.fine_tune = 3;
  return options;
}

TEST(GreedyTest, IterationsGoOnFromStageToStageWithoutGaps) {
  const TemporaryFolder folder;
  Recorder recorder;
  const TrainResult result = Train(Stack(folder, "run"), {&recorder, &recorder.stop});
  std::vector<std::string> expected;
  for (const char* stage : {"layer 1", "layer 2", "layer 3"})
    expected.insert(expected.end(), 5, stage);
  expected.insert(expected.end(), 4, "fine-tuning");
  ASSERT_EQ(recorder.lines.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    const IterationMetrics& metrics = recorder.lines[i];
    EXPECT_EQ(metrics.iteration, static_cast<int64_t>(i));
    EXPECT_EQ(metrics.stage, expected[i]);
    // Each stage reads the rows once and keeps what becomes of them.
    EXPECT_EQ(metrics.bytes_read, (i / 5 + 1) * recorder.lines[0].bytes_read);
    if (i > 0 && expected[i] == expected[i - 1]) {
      EXPECT_LT(metrics.cost.total(), recorder.lines[i - 1].cost.total()) << i;
    }
  }
  EXPECT_EQ(result.model.iterations, 18);
  const std::vector<std::string> lines = Split(ReadWholeFile(folder / "run/metrics.jsonl"), '\n');
  ASSERT_EQ(lines.size(), expected.size() + 1);
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_THAT(lines[i], HasSubstr("\"iteration\":" + std::to_string(i) + ",\"stage\":\"" +
                                    expected[i] + "\""));
  }
}

TEST(GreedyTest, EveryLayerLeavesAModelOfTheLayersSoFar) {
  for (const bool tied : {false, true}) {
    const TemporaryFolder folder;
    TrainOptions options = Stack(folder, "run");
    options.network.tied = tied;
    options.objective.kappa = 0.01;
    const TrainResult result = Train(options, {});
    for (size_t layers = 1; layers <= 3; ++layers) {
      const Model model =
          LoadModel(folder / ("run/checkpoints/layer-" + std::to_string(layers) + ".safetensors"));
      EXPECT_EQ(model.network.hidden.size(), layers);
      EXPECT_EQ(model.objective.rho.size(), layers);
      EXPECT_EQ(model.network.tied, tied);
      EXPECT_EQ(model.iterations, static_cast<int64_t>(5 * layers) - 1);
      EXPECT_EQ(std::ssize(model.rho_hat), layers == 1 ? 7 : layers == 2 ? 12 : 15);
    }
    EXPECT_FALSE(std::filesystem::exists(folder / "run/checkpoints/layer-4.safetensors"));
    EXPECT_EQ(result.model.network.hidden.size(), 3U);
    EXPECT_EQ(LoadModel(result.model_path).parameters, result.model.parameters);
  }
}

// Later layers leave the weights of those below as they were.
TEST(GreedyTest, ALayersWeightsStayUntilFineTuning) {
  const TemporaryFolder folder;
  TrainOptions options = Stack(folder, "run");
  options.fine_tune = 0;
  const TrainResult result = Train(options, {});
  const auto tensor = [](const Model& model, const std::string& name) {
    for (const Model::Tensor& one : model.Tensors()) {
      if (one.name == name) return std::vector<double>(one.values.begin(), one.values.end());
    }
    return std::vector<double>();
  };
  const Model one = LoadModel(folder / "run/checkpoints/layer-1.safetensors");
  const Model two = LoadModel(folder / "run/checkpoints/layer-2.safetensors");
  const Model three = LoadModel(folder / "run/checkpoints/layer-3.safetensors");
  EXPECT_EQ(tensor(two, "encoder.0.weight"), tensor(one, "encoder.weight"));
  EXPECT_EQ(tensor(two, "decoder.1.bias"), tensor(one, "decoder.bias"));
  EXPECT_EQ(tensor(three, "encoder.1.weight"), tensor(two, "encoder.1.weight"));
  EXPECT_EQ(tensor(three, "decoder.1.weight"), tensor(two, "decoder.0.weight"));
  // Without fine-tuning that is the result, and ρ̂ is what each layer had.
  EXPECT_EQ(result.model.parameters, three.parameters);
  ASSERT_EQ(result.model.rho_hat.size(), three.rho_hat.size());
  for (size_t j = 0; j < three.rho_hat.size(); ++j) {
    EXPECT_NEAR(result.model.rho_hat[j], three.rho_hat[j], 1e-6);
  }
  EXPECT_EQ(result.model.iterations, three.iterations + 1) << "its J is that of all layers";
}

// The first stage is what a run with that one layer does.
TEST(GreedyTest, TheFirstLayerIsThatOfAShallowRun) {
  const TemporaryFolder folder;
  TrainOptions options = Stack(folder, "run");
  Train(options, {});
  options.network.hidden = {7};
  options.objective.rho = {0.2};
  options.greedy = false;
  options.fine_tune = -1;
  options.run_directory = folder / "shallow";
  EXPECT_EQ(LoadModel(folder / "run/checkpoints/layer-1.safetensors").parameters,
            Train(options, {}).model.parameters);
}

TEST(GreedyTest, FineTuningLowersTheCostOfAllLayers) {
  const TemporaryFolder folder;
  TrainOptions options = Stack(folder, "run");
  const double tuned = Train(options, {}).model.cost;
  options.fine_tune = 0;
  options.run_directory = folder / "untuned";
  EXPECT_LT(tuned, Train(options, {}).model.cost);
}

TEST(GreedyTest, UnitsWithoutAPenaltyOnMeansAreStackedToo) {
  for (const Activation activation : {Activation::kRelu, Activation::kLinear}) {
    const TemporaryFolder folder;
    TrainOptions options = Stack(folder, "run");
    options.network.activation = activation;
    options.objective.beta = {0};
    options.objective.gamma = 0.01;
    Recorder recorder;
    const TrainResult result = Train(options, {&recorder, &recorder.stop});
    EXPECT_LT(recorder.lines[18].cost.total(), recorder.lines[15].cost.total());
    EXPECT_EQ(recorder.last_progress.rows_total, kWaveRows) << "one pass";
    EXPECT_EQ(LoadModel(result.model_path).network.activation, activation);
  }
}

// Everything at once: prepared, noisy, tied and stacked.
TrainOptions Everything(const TemporaryFolder& folder, const std::string& run) {
  TrainOptions options = Stack(folder, run);
  options.network.tied = true;
  options.network.decoder = Activation::kLinear;
  options.prepare = {.kind = PreparationKind::kZca, .epsilon = 0.1};
  options.objective.noise = {NoiseKind::kSaltPepper, 0.2};
  options.objective.gamma = 0.01;
  return options;
}

TEST(GreedyTest, TheModelFileHasTheSameBytesForAnyNumberOfThreads) {
  const TemporaryFolder folder;
  std::vector<std::string> files;
  for (const int64_t threads : {1, 2, 3}) {
    TrainOptions options = Everything(folder, "run" + std::to_string(threads));
    options.resources.threads = threads;
    files.push_back(ReadWholeFile(Train(options, {}).model_path));
    EXPECT_EQ(files.back(), files.front()) << threads << " threads";
  }
}

TEST(TrainTest, PreparationAndTheRangeOfPreparedRowsAreInTheModel) {
  const TemporaryFolder folder;
  TrainOptions options = Everything(folder, "run");
  options.prepare = {.kind = PreparationKind::kRange, .low = 0, .high = 2};
  Train(options, {});
  const auto [low, high] = std::ranges::minmax(Waves());
  for (const char* name : {"model", "checkpoints/layer-1", "checkpoints/layer-3"}) {
    const Model model = LoadModel(folder / ("run/" + std::string(name) + ".safetensors"));
    EXPECT_EQ(model.prepare.options, options.prepare);
    ASSERT_EQ(std::ssize(model.prepare.scale), kWaveColumns);
    EXPECT_EQ(model.prepare.scale[3], 2);
    EXPECT_NEAR(model.input_low, low / 2, 1e-7) << name;
    EXPECT_NEAR(model.input_high, high / 2, 1e-7) << name;
  }
}

// What a run reads that has no memory to keep rows in.
uint64_t BytesReadWithTheLeastMemory(TrainOptions options) {
  options.resources.memory_bytes = PlanTraining(options).least_bytes;
  return Train(options, {}).last.bytes_read;
}

// Reading for the preparation and for the range is reading too.
TEST(TrainTest, BytesReadAreThoseOfEveryPass) {
  const TemporaryFolder folder;
  TrainOptions options = WaveTraining(folder / "w.h5", folder / "plain");
  options.optimizer.iterations = 0;
  options.compute.schedule = Schedule::kTwoPass;
  const uint64_t pass = BytesReadWithTheLeastMemory(options) / 2;
  EXPECT_GE(pass, kWaveRows * kWaveColumns * sizeof(float));
  options.objective.noise = {NoiseKind::kSaltPepper, 0.2};
  options.run_directory = folder / "noisy";
  EXPECT_EQ(BytesReadWithTheLeastMemory(options), 3 * pass);
  options.prepare = {.kind = PreparationKind::kStandardize};
  options.run_directory = folder / "prepared";
  const uint64_t prepared = BytesReadWithTheLeastMemory(options);
  EXPECT_GT(prepared, 3 * pass);
  EXPECT_EQ(prepared % pass, 0U);
}

TEST(TrainTest, RowsThatFitInMemoryAreReadOnce) {
  const TemporaryFolder folder;
  TrainOptions options = WaveTraining(folder / "w.h5", folder / "kept");
  options.compute.schedule = Schedule::kCached;
  const TrainResult kept = Train(options, {});
  EXPECT_GT(kept.last.iteration, 1);
  options.run_directory = folder / "read";
  options.resources.memory_bytes = PlanTraining(options).least_bytes;
  const TrainResult read = Train(options, {});
  EXPECT_EQ(read.last.bytes_read,
            2 * static_cast<uint64_t>(read.last.data_passes) * kept.last.bytes_read);
  EXPECT_EQ(read.model.parameters, kept.model.parameters);
}

TEST(GreedyTest, AStopInALaterStageLeavesWhatIsReached) {
  const TemporaryFolder folder;
  Recorder recorder;
  recorder.stop_at = 7;  // the second layer's third
  EXPECT_THROW(Train(Everything(folder, "run"), {&recorder, &recorder.stop}), Stopped);
  EXPECT_FALSE(std::filesystem::exists(folder / "run/model.safetensors"));
  const Model kept = LoadModel(ListCheckpoints(folder / "run").front().path.string());
  EXPECT_EQ(kept.iterations, 7);
  EXPECT_EQ(kept.network.hidden, (std::vector<int64_t>{7, 5}));
  EXPECT_EQ(kept.stop_reason, "under way");
  EXPECT_EQ(kept.prepare.options.kind, PreparationKind::kZca);
  EXPECT_EQ(LoadModel(folder / "run/checkpoints/layer-1.safetensors").iterations, 4);
}

// Starts the same run once more while it is at work.
class Impatient : public RunObserver {
 public:
  explicit Impatient(const TrainOptions& options) : options_(options) {}

  void OnIteration(const IterationMetrics&) override {
    try {
      Train(options_, {});
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kCannotCreate);
      errors.emplace_back(error.what());
    }
  }

  std::vector<std::string> errors;

 private:
  TrainOptions options_;
};

TEST(TrainTest, OnlyOneProcessGoesOnWithARun) {
  const TemporaryFolder folder;
  TrainOptions options = WaveTraining(folder / "w.h5", folder / "run");
  options.resume = "auto";
  Impatient impatient(options);
  Train(options, {&impatient, nullptr});
  EXPECT_EQ(impatient.errors.size(), 6U);
  EXPECT_THAT(impatient.errors, testing::Each(HasSubstr("another process is at work")));
}

TEST(TrainTest, RowsOutOfTheLosssRangeAreNamedAndLeaveNoRun) {
  const TemporaryFolder folder;
  TrainOptions options = WaveTraining(folder / "w.h5", folder / "run");
  std::vector<float> waves = Waves();
  waves[40 * kWaveColumns + 5] = 1.5F;
  WriteRows<float>(folder / "off.h5", {ElementKind::kFloat32, false}, kWaveColumns, waves, 13);
  options.data.files = {folder / "w.h5", folder / "off.h5"};
  options.objective.loss = Loss::kCrossEntropy;
  try {
    Train(options, {});
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadData);
    EXPECT_THAT(error.what(), HasSubstr("off.h5"));
    EXPECT_THAT(error.what(), HasSubstr("row 40, column 5: --loss cross-entropy"));
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "run"));
}

// A model file of every kind of network, as it is trained.
TEST(TrainTest, EveryKindOfAutoencoderTrains) {
  const TemporaryFolder folder;
  int64_t runs = 0;
  for (const ActivationInfo& activation : kActivations) {
    for (const LossInfo& loss : kLosses) {
      for (const bool tied : {false, true}) {
        TrainOptions options =
            WaveTraining(folder / "w.h5", folder / ("run" + std::to_string(runs++)));
        options.network = {{6}, activation.value, Activation::kSigmoid, tied};
        options.objective = {.loss = loss.value,
                             .beta = {activation.has_kl ? 1.0 : 0.0},
                             .gamma = 0.01,
                             .kappa = 0.01,
                             .noise = {NoiseKind::kGaussian, 0.1}};
        Recorder recorder;
        const TrainResult result = Train(options, {&recorder, &recorder.stop});
        EXPECT_EQ(recorder.lines.size(), 6U);
        EXPECT_LT(result.model.cost, recorder.lines[0].cost.total());
        EXPECT_GT(result.last.cost.contraction, 0);
        EXPECT_GT(result.last.cost.l1, 0);
        EXPECT_EQ(LoadModel(result.model_path).parameters, result.model.parameters);
      }
    }
  }
}

TEST(TrainTest, ARunFolderIsAskedFor) {
  const TemporaryFolder folder;
  EXPECT_THROW(Train(WaveTraining(folder / "w.h5", ""), {}), Error);
}

}  // namespace
}  // namespace rhohat
