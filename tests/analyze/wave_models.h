// Small trained models of every kind, and how to read what analyses of them write.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "data/data_set.h"
#include "data/row_source.h"
#include "rhohat/analyze.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/waves.h"

namespace rhohat {

// What a model may be, beside the plain one of WaveTraining().
struct ModelKind {
  std::string name;
  void (*choose)(TrainOptions&);
};

inline const std::vector<ModelKind>& ModelKinds() {
  static const std::vector<ModelKind> kinds = {
      {"Plain", [](TrainOptions&) {}},
      {"Tied",
       [](TrainOptions& options) {
         options.network.tied = true;
         options.objective.gamma = 0.01;
       }},
      {"Deep",
       [](TrainOptions& options) {
         options.network.hidden = {7, 4};
         options.network.activation = Activation::kTanh;
         options.network.decoder = Activation::kLinear;
         options.objective.rho = {0.4, 0.3};
         options.objective.beta = {0.5, 0.1};
       }},
      {"DeepAndTied",
       [](TrainOptions& options) {
         options.network.hidden = {7, 6, 3};
         options.network.tied = true;
       }},
      {"Prepared",
       [](TrainOptions& options) {
         options.prepare.kind = PreparationKind::kStandardize;
         options.network.decoder = Activation::kLinear;
       }},
      {"Whitened",
       [](TrainOptions& options) {
         options.prepare = {.kind = PreparationKind::kZca, .epsilon = 0.01};
         options.network.decoder = Activation::kLinear;
       }},
      {"CrossEntropy",
       [](TrainOptions& options) {
         options.objective.loss = Loss::kCrossEntropy;
         options.prepare = {.kind = PreparationKind::kRange, .low = 0, .high = 1};
       }},
      {"Denoising",
       [](TrainOptions& options) {
         options.objective.noise = {.kind = NoiseKind::kMask, .amount = 0.3};
       }},
      {"SaltAndPepper",
       [](TrainOptions& options) {
         options.prepare.kind = PreparationKind::kGlobal;
         options.objective.noise = {.kind = NoiseKind::kSaltPepper, .amount = 0.2};
       }},
      {"Contractive", [](TrainOptions& options) { options.objective.kappa = 0.1; }},
  };
  return kinds;
}

// A model of one kind, trained for a moment in double.
class WaveModel : public testing::Test {
 protected:
  void Train(const ModelKind& kind) {
    TrainOptions training = WaveTraining(folder_ / "w.h5", folder_ / kind.name);
    training.compute.precision = Precision::kFloat64;
    kind.choose(training);
    model_ = rhohat::Train(training, {}).model;
    options_ = {.data = training.data, .compute = model_.compute, .resources = training.resources};
  }

  TemporaryFolder folder_;
  Model model_;
  AnalyzeOptions options_;
};

class EveryModel : public WaveModel, public testing::WithParamInterface<ModelKind> {
 protected:
  void SetUp() override { Train(GetParam()); }
};

// All rows of a data set, row-major.
inline std::vector<double> ReadRows(const std::string& path, const std::string& dataset,
                                    int64_t rows, int64_t columns) {
  DataSet data({.files = {path}, .dataset = dataset});
  EXPECT_EQ(data.rows(), rows);
  EXPECT_EQ(data.columns(), columns);
  RawRows raw;
  FetchAndUnpack(data, {0, rows}, raw);
  std::vector<double> values(static_cast<size_t>(rows * columns));
  DecodeRows<double>(data, raw, values);
  return values;
}

}  // namespace rhohat
