// Models of every kind, evaluated and checked against what their training said, and described.
#include "rhohat/analyze.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "rhohat/error.h"
#include "tests/analyze/wave_models.h"

namespace rhohat {
namespace {

using testing::HasSubstr;

class AnalyzeTest : public WaveModel {
 protected:
  void SetUp() override { Train(ModelKinds().front()); }
};

class EveryModelIsEvaluated : public EveryModel {};

INSTANTIATE_TEST_SUITE_P(Kinds, EveryModelIsEvaluated, testing::ValuesIn(ModelKinds()),
                         [](const auto& kind) { return kind.param.name; });

TEST_P(EveryModelIsEvaluated, EvaluationOfTheTrainingDataGivesTheTrainingsCost) {
  const Evaluation evaluation = Evaluate(model_, options_, std::nullopt, {});
  EXPECT_EQ(evaluation.rows, kWaveRows);
  EXPECT_NEAR(evaluation.cost.total(), model_.cost, 1e-12);
  EXPECT_EQ(evaluation.rho_hat, model_.rho_hat);
  EXPECT_LE(evaluation.rho_hat_min, evaluation.rho_hat_mean);
  EXPECT_LE(evaluation.rho_hat_mean, evaluation.rho_hat_max);
}

TEST_P(EveryModelIsEvaluated, TheGradientPassesTheCheckAtEveryParameter) {
  GradientCheckOptions options{.analyze = options_, .objective = {}, .sample = 0};
  const GradientCheck check = CheckGradient(model_, options, {});
  EXPECT_EQ(check.parameters, std::ssize(model_.parameters));
  EXPECT_EQ(check.parameters_checked, check.parameters);
  EXPECT_NEAR(check.cost, model_.cost, 1e-12);
  EXPECT_LT(check.relative_error, 1e-8);
  EXPECT_LT(check.rounding_error, 1e-8);
}

TEST_F(AnalyzeTest, OtherWeightsOfTheObjectiveMayBeAskedFor) {
  const ObjectiveOptions plain{.rho = {0.1}, .beta = {0}, .lambda = 0};
  const CostTerms cost = Evaluate(model_, options_, plain, {}).cost;
  EXPECT_EQ(cost.total(), cost.reconstruction);
  const ObjectiveOptions more{.rho = {0.1}, .beta = {0}, .lambda = 0, .gamma = 1, .kappa = 1};
  EXPECT_GT(Evaluate(model_, options_, more, {}).cost.l1, 0);
  EXPECT_GT(Evaluate(model_, options_, more, {}).cost.contraction, 0);
  EXPECT_THROW(Evaluate(model_, options_, ObjectiveOptions{.rho = {7}}, {}), Error);
}

TEST_F(AnalyzeTest, NoiseMayBeAskedForWhereTheModelKnowsEnough) {
  ObjectiveOptions noisy = model_.objective;
  noisy.noise = {.kind = NoiseKind::kGaussian, .amount = 0.5};
  EXPECT_NE(Evaluate(model_, options_, noisy, {}).cost.reconstruction,
            Evaluate(model_, options_, std::nullopt, {}).cost.reconstruction);
  noisy.noise = {.kind = NoiseKind::kSaltPepper, .amount = 0.5};
  EXPECT_THAT([&] { Evaluate(model_, options_, noisy, {}); },
              testing::ThrowsMessage<Error>(HasSubstr("trained without it")));
}

TEST_F(AnalyzeTest, AUnitThatDoesNotVaryIsDeadWhateverItsLayer) {
  const auto silence_first_unit = [&] {
    for (int64_t k = 0; k < model_.inputs; ++k) model_.parameters[static_cast<size_t>(k)] = 0;
  };
  silence_first_unit();
  EXPECT_EQ(Evaluate(model_, options_, std::nullopt, {}).dead_units, 1);

  Train(ModelKinds()[2]);
  EXPECT_EQ(Evaluate(model_, options_, std::nullopt, {}).dead_units, 0);
  silence_first_unit();
  const Evaluation evaluation = Evaluate(model_, options_, std::nullopt, {});
  EXPECT_EQ(evaluation.dead_units, 1);
  EXPECT_EQ(evaluation.rho_hat.size(), 7U + 4U);
}

// Of standardised rows the spread around zero is the variance.
TEST_F(AnalyzeTest, ExplainedVarianceIsThatOfPreparedRows) {
  const auto is_prepared = [](const ModelKind& kind) { return kind.name == "Prepared"; };
  Train(*std::ranges::find_if(ModelKinds(), is_prepared));
  std::ranges::fill(model_.parameters, 0);
  EXPECT_NEAR(Evaluate(model_, options_, std::nullopt, {}).explained_variance, 0, 1e-12);
}

TEST_F(AnalyzeTest, ExplainedVarianceIsOneMinusTheShareOfTheError) {
  std::ranges::fill(model_.parameters, 0);  // always says 0.5
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
  const std::string plain = DescribeFile(folder_ / "Plain/model.safetensors");
  EXPECT_THAT(plain, HasSubstr("12–5–12, sigmoid, float64"));
  EXPECT_THAT(plain, HasSubstr("prepare none"));
  EXPECT_THAT(plain, HasSubstr("noise none"));
  EXPECT_THAT(DescribeFile(folder_ / "w.h5"), HasSubstr("90"));
  EXPECT_THROW(DescribeFile(folder_ / "none"), Error);
}

TEST_F(AnalyzeTest, AModelIsDescribedWithAllThatItIs) {
  TrainOptions training = WaveTraining(folder_ / "w.h5", folder_ / "all");
  training.network = {.hidden = {7, 4},
                      .activation = Activation::kTanh,
                      .decoder = Activation::kLinear,
                      .tied = true};
  training.prepare.kind = PreparationKind::kStandardize;
  training.objective.noise = {.kind = NoiseKind::kMask, .amount = 0.25};
  training.objective.gamma = 0.125;
  rhohat::Train(training, {});
  const std::string text = DescribeFile(folder_ / "all/model.safetensors");
  EXPECT_THAT(text, HasSubstr("12–7–4–7–12, tanh, linear output, tied weights, float32"));
  for (const char* words :
       {"prepare standardize", "noise mask:0.25", "gamma 0.125", "layer 1:", "layer 2:"}) {
    EXPECT_THAT(text, HasSubstr(words));
  }
}

}  // namespace
}  // namespace rhohat
