// Encode, reconstruct and score: rows made from rows, for models of every kind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <filesystem>
#include <numeric>

#include "rhohat/error.h"
#include "tests/analyze/wave_models.h"

namespace rhohat {
namespace {

using testing::HasSubstr;

double Mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// J of the model without noise, which is how these commands see rows.
CostTerms CleanCost(const Model& model, const AnalyzeOptions& options) {
  ObjectiveOptions clean = model.objective;
  clean.noise = {};
  return Evaluate(model, options, clean, {}).cost;
}

class EveryModelsRows : public EveryModel {
 protected:
  std::vector<double> ReconstructedRows() {
    Reconstruct(model_, options_, folder_ / "rows.h5", {});
    return ReadRows(folder_ / "rows.h5", "/reconstruction", kWaveRows, kWaveColumns);
  }

  std::vector<double> Scores() {
    Score(model_, options_, folder_ / "scores.h5", {});
    return ReadRows(folder_ / "scores.h5", "/scores", kWaveRows, 1);
  }
};

INSTANTIATE_TEST_SUITE_P(Kinds, EveryModelsRows, testing::ValuesIn(ModelKinds()),
                         [](const auto& kind) { return kind.param.name; });

TEST_P(EveryModelsRows, CodesOfEachLayerAverageToRhoHatOfCleanRows) {
  ObjectiveOptions clean = model_.objective;
  clean.noise = {};
  const std::vector<double> rho_hat = Evaluate(model_, options_, clean, {}).rho_hat;
  const ActivationInfo& activation = InfoOf(model_.network.activation);
  size_t unit = 0;
  for (int64_t layer = 1; layer <= std::ssize(model_.network.hidden); ++layer) {
    const int64_t width = model_.network.hidden[static_cast<size_t>(layer - 1)];
    Encode(model_, {.analyze = options_, .layer = layer, .output = folder_ / "codes.h5"}, {});
    const std::vector<double> codes = ReadRows(folder_ / "codes.h5", "/codes", kWaveRows, width);
    for (int64_t j = 0; j < width; ++j, ++unit) {
      double mean = 0;
      for (int64_t i = 0; i < kWaveRows; ++i) {
        mean += codes[static_cast<size_t>(i * width + j)] / kWaveRows;
      }
      EXPECT_NEAR(activation.mean_scale * mean + activation.mean_shift, rho_hat[unit], 1e-12);
    }
  }
  EXPECT_EQ(unit, rho_hat.size());
}

TEST_P(EveryModelsRows, TheInnermostLayerIsTheOneWithoutANumber) {
  const int64_t width = model_.network.hidden.back();
  Encode(model_, {.analyze = options_, .output = folder_ / "default.h5"}, {});
  Encode(model_,
         {.analyze = options_,
          .layer = std::ssize(model_.network.hidden),
          .output = folder_ / "last.h5"},
         {});
  EXPECT_EQ(ReadRows(folder_ / "default.h5", "/codes", kWaveRows, width),
            ReadRows(folder_ / "last.h5", "/codes", kWaveRows, width));
}

TEST_P(EveryModelsRows, ScoresAverageToTheReconstructionTermOfCleanRows) {
  EXPECT_NEAR(Mean(Scores()), CleanCost(model_, options_).reconstruction, 1e-12);
}

// A network that gives its input back, whatever was made of the rows before.
TEST_P(EveryModelsRows, ReconstructionComesBackInTheDatasOwnUnits) {
  model_.network = {.hidden = {kWaveColumns},
                    .activation = Activation::kLinear,
                    .decoder = Activation::kLinear,
                    .tied = true};
  model_.objective = {.beta = {0}};
  model_.parameters.assign(static_cast<size_t>(kWaveColumns * (kWaveColumns + 2)), 0);
  for (int64_t k = 0; k < kWaveColumns; ++k) {
    model_.parameters[static_cast<size_t>(k * (kWaveColumns + 1))] = 1;
  }
  const std::vector<float> rows = Waves();
  const std::vector<double> found = ReconstructedRows();
  for (size_t i = 0; i < rows.size(); ++i) {
    ASSERT_NEAR(found[i], static_cast<double>(rows[i]), 1e-10) << i;
  }
  EXPECT_NEAR(Mean(Scores()), 0, 1e-20);
}

TEST_P(EveryModelsRows, ThreadsAndBlocksOfOtherSizesChangeNothingToSpeakOf) {
  const std::vector<double> rows = ReconstructedRows();
  const std::vector<double> scores = Scores();
  options_.resources.threads = 3;
  EXPECT_EQ(ReconstructedRows(), rows);
  EXPECT_EQ(Scores(), scores);
  options_.compute.block_rows = 7;
  EXPECT_THAT(ReconstructedRows(), testing::Pointwise(testing::DoubleNear(1e-12), rows));
  EXPECT_THAT(Scores(), testing::Pointwise(testing::DoubleNear(1e-12), scores));
}

class RowResultsTest : public WaveModel {
 protected:
  void SetUp() override { Train(ModelKinds().front()); }
};

TEST_F(RowResultsTest, AScoreIsHalfTheSquaredDistanceOfRowAndReconstruction) {
  Reconstruct(model_, options_, folder_ / "rows.h5", {});
  Score(model_, options_, folder_ / "scores.h5", {});
  const std::vector<double> reconstruction =
      ReadRows(folder_ / "rows.h5", "/reconstruction", kWaveRows, kWaveColumns);
  const std::vector<double> scores = ReadRows(folder_ / "scores.h5", "/scores", kWaveRows, 1);
  const std::vector<float> rows = Waves();
  for (size_t i = 0; i < scores.size(); ++i) {
    double squares = 0;
    for (size_t k = i * kWaveColumns; k < (i + 1) * kWaveColumns; ++k) {
      squares += std::pow(reconstruction[k] - static_cast<double>(rows[k]), 2);
    }
    EXPECT_NEAR(scores[i], squares / 2, 1e-13);
  }
}

TEST_F(RowResultsTest, ScoresOfAFloat32ModelAreSummedInDouble) {
  options_.compute.precision = Precision::kFloat32;
  Score(model_, options_, folder_ / "scores.h5", {});
  const std::vector<double> scores = ReadRows(folder_ / "scores.h5", "/scores", kWaveRows, 1);
  EXPECT_NEAR(Mean(scores), Evaluate(model_, options_, std::nullopt, {}).cost.reconstruction,
              1e-14);
}

TEST_F(RowResultsTest, ALayerThatTheEncoderDoesNotHaveIsRefused) {
  for (const int64_t layer : {-1, 2}) {
    const EncodeOptions options{
        .analyze = options_, .layer = layer, .output = folder_ / "codes.h5"};
    EXPECT_THAT([&] { Encode(model_, options, {}); },
                testing::ThrowsMessage<Error>(HasSubstr("--layer: expected 1 to 1")));
  }
}

TEST_F(RowResultsTest, ARowThatTheLossIsNotDefinedForIsNamedAndNothingWritten) {
  std::vector<float> rows = Waves();
  rows[7 * kWaveColumns + 3] = 2;
  WriteRows<float>(folder_ / "beyond.h5", {ElementKind::kFloat32, false}, kWaveColumns, rows);
  options_.data.files = {folder_ / "beyond.h5"};
  model_.objective.loss = Loss::kCrossEntropy;
  EXPECT_THAT([&] { Score(model_, options_, folder_ / "scores.h5", {}); },
              testing::ThrowsMessage<Error>(HasSubstr("row 7, column 3")));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "scores.h5"));
}

TEST_F(RowResultsTest, NothingIsWrittenOverTheDataNorOnAStop) {
  const auto run_all = [&](const std::string& output, const RunControl& control, auto expect) {
    expect([&] { Encode(model_, {.analyze = options_, .output = output}, control); });
    expect([&] { Reconstruct(model_, options_, output, control); });
    expect([&] { Score(model_, options_, output, control); });
  };
  run_all(folder_ / "w.h5", {}, [](const auto& call) { EXPECT_THROW(call(), Error); });
  const std::atomic<bool> stop = true;
  run_all(folder_ / "out.h5", {nullptr, &stop},
          [](const auto& call) { EXPECT_THROW(call(), Stopped); });
  EXPECT_FALSE(std::filesystem::exists(folder_ / "out.h5"));
}

}  // namespace
}  // namespace rhohat
