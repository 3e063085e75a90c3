// Evaluate, encode and check a model against what its training said.
#include "rhohat/analyze.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "data/data_set.h"
#include "rhohat/error.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/waves.h"

namespace rhohat {
namespace {

using testing::HasSubstr;

class AnalyzeTest : public testing::Test {
 protected:
  void SetUp() override {
    const TrainOptions training = WaveTraining(folder_ / "w.h5", folder_ / "run");
    model_ = Train(training, {}).model;
    options_ = {.data = training.data, .compute = model_.compute, .resources = training.resources};
  }

  TemporaryFolder folder_;
  Model model_;
  AnalyzeOptions options_;
};

TEST_F(AnalyzeTest, EvaluationOfTheTrainingDataGivesTheTrainingsCost) {
  const Evaluation evaluation = Evaluate(model_, options_, std::nullopt, {});
  EXPECT_EQ(evaluation.rows, kWaveRows);
  EXPECT_NEAR(evaluation.cost, model_.cost, 1e-12);
  EXPECT_EQ(evaluation.rho_hat, model_.rho_hat);
  EXPECT_LE(evaluation.rho_hat_min, evaluation.rho_hat_mean);
  EXPECT_LE(evaluation.rho_hat_mean, evaluation.rho_hat_max);
}

TEST_F(AnalyzeTest, OtherWeightsOfTheObjectiveMayBeAskedFor) {
  const Evaluation plain =
      Evaluate(model_, options_, ObjectiveOptions{.rho = 0.1, .beta = 0, .lambda = 0}, {});
  EXPECT_EQ(plain.sparsity, 0);
  EXPECT_EQ(plain.weight_decay, 0);
  EXPECT_EQ(plain.cost, plain.reconstruction);
  EXPECT_THROW(Evaluate(model_, options_, ObjectiveOptions{.rho = 7}, {}), Error);
}

TEST_F(AnalyzeTest, AUnitThatDoesNotVaryIsDead) {
  for (int64_t k = 0; k < model_.inputs; ++k) model_.encoder_weight[static_cast<size_t>(k)] = 0;
  EXPECT_EQ(Evaluate(model_, options_, std::nullopt, {}).dead_units, 1);
}

TEST_F(AnalyzeTest, ExplainedVarianceIsOneMinusTheShareOfTheError) {
  // A decoder that ignores the code and always says 0.5.
  std::fill(model_.decoder_weight.begin(), model_.decoder_weight.end(), 0);
  std::fill(model_.decoder_bias.begin(), model_.decoder_bias.end(), 0);
  const std::vector<float> values = Waves();
  double error = 0;
  double total = 0;
  for (int64_t k = 0; k < kWaveColumns; ++k) {
    double mean = 0;
    for (int64_t i = 0; i < kWaveRows; ++i) {
      mean += static_cast<double>(values[static_cast<size_t>(i * kWaveColumns + k)]) / kWaveRows;
    }
    for (int64_t i = 0; i < kWaveRows; ++i) {
      const auto value = static_cast<double>(values[static_cast<size_t>(i * kWaveColumns + k)]);
      error += (value - 0.5) * (value - 0.5);
      total += (value - mean) * (value - mean);
    }
  }
  const Evaluation evaluation = Evaluate(model_, options_, std::nullopt, {});
  EXPECT_NEAR(evaluation.explained_variance, 1 - error / total, 1e-12);
}

TEST_F(AnalyzeTest, CodesAverageToRhoHat) {
  Encode(model_, options_, folder_ / "codes.h5", {});
  DataSet codes({.files = {folder_ / "codes.h5"}, .dataset = "/codes"});
  ASSERT_EQ(codes.rows(), kWaveRows);
  ASSERT_EQ(codes.columns(), model_.hidden);
  RawRows raw;
  FetchAndUnpack(codes, {0, kWaveRows}, raw);
  std::vector<double> values(static_cast<size_t>(kWaveRows * model_.hidden));
  DecodeRows<double>(codes, raw, values);
  for (size_t j = 0; j < model_.rho_hat.size(); ++j) {
    double mean = 0;
    for (size_t i = 0; i < static_cast<size_t>(kWaveRows); ++i) {
      mean += values[i * model_.rho_hat.size() + j] / kWaveRows;
    }
    EXPECT_NEAR(mean, model_.rho_hat[j], 1e-12);
  }
}

TEST_F(AnalyzeTest, CodesAreNotWrittenOverTheDataNorOnAStop) {
  EXPECT_THROW(Encode(model_, options_, folder_ / "w.h5", {}), Error);
  std::atomic<bool> stop = true;
  EXPECT_THROW(Encode(model_, options_, folder_ / "codes.h5", {nullptr, &stop}), Stopped);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "codes.h5"));
}

TEST_F(AnalyzeTest, TheGradientPassesTheCheckAtEveryParameter) {
  GradientCheckOptions options{.analyze = options_, .objective = {}, .sample = 0};
  const GradientCheck check = CheckGradient(model_, options, {});
  EXPECT_EQ(check.parameters_checked, check.parameters);
  EXPECT_LT(check.relative_error, 1e-8);
  EXPECT_LT(check.rounding_error, 1e-8);
}

TEST_F(AnalyzeTest, ASampleTakesFromEveryTensorAndNeverMoreThanThereIs) {
  GradientCheckOptions options{.analyze = options_, .objective = {}, .sample = 16};
  EXPECT_EQ(CheckGradient(model_, options, {}).parameters_checked, 16);
  options.sample = 100000;
  const GradientCheck all = CheckGradient(model_, options, {});
  EXPECT_EQ(all.parameters_checked, all.parameters);
}

TEST_F(AnalyzeTest, DataOfAnotherWidthIsRefusedWithBothNumbers) {
  WriteRows<float>(folder_ / "other.h5", {ElementKind::kFloat32, false}, 3, {1, 2, 3});
  options_.data.files = {folder_ / "other.h5"};
  try {
    Evaluate(model_, options_, std::nullopt, {});
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadData);
    EXPECT_THAT(error.what(), HasSubstr("expected 12 columns as in the model, found 3"));
  }
}

TEST_F(AnalyzeTest, FilesAreDescribedForWhatTheyAre) {
  EXPECT_THAT(DescribeFile(folder_ / "run/model.safetensors"), HasSubstr("12–5–12"));
  EXPECT_THAT(DescribeFile(folder_ / "w.h5"), HasSubstr("90"));
  EXPECT_THROW(DescribeFile(folder_ / "none"), Error);
}

}  // namespace
}  // namespace rhohat
