#include "train/stages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "network/autoencoder.h"

namespace rhohat {
namespace {

using testing::ElementsAre;

TrainOptions Greedy(std::vector<int64_t> hidden, bool tied = false) {
  TrainOptions options;
  options.network = {std::move(hidden), Activation::kTanh, Activation::kSigmoid, tied};
  options.objective.loss = Loss::kCrossEntropy;
  options.optimizer.iterations = 50;
  options.greedy = true;
  return options;
}

TEST(StagesTest, WithoutGreedyTrainingThereIsOne) {
  TrainOptions options = Greedy({6, 3});
  options.greedy = false;
  const std::vector<Stage> stages = StagesOf(options, 9);
  ASSERT_EQ(stages.size(), 1U);
  EXPECT_EQ(stages[0].name, "");
  EXPECT_EQ(stages[0].frozen_layers, 0);
  EXPECT_EQ(stages[0].iterations, 50);
  EXPECT_EQ(stages[0].shape.inputs, 9);
  EXPECT_THAT(stages[0].shape.hidden, ElementsAre(6, 3));
}

TEST(StagesTest, GreedyTrainingHasOneForEachLayerAndOneForAll) {
  const std::vector<Stage> stages = StagesOf(Greedy({6, 4, 3}, true), 9);
  ASSERT_EQ(stages.size(), 4U);
  const int64_t widths[] = {9, 6, 4, 3};
  for (size_t k = 0; k < 3; ++k) {
    EXPECT_EQ(stages[k].name, "layer " + std::to_string(k + 1));
    EXPECT_EQ(stages[k].frozen_layers, static_cast<int64_t>(k));
    EXPECT_EQ(stages[k].shape.inputs, widths[k]);
    EXPECT_THAT(stages[k].shape.hidden, ElementsAre(widths[k + 1]));
    EXPECT_THAT(stages[k].network.hidden, ElementsAre(widths[k + 1]));
    EXPECT_TRUE(stages[k].shape.tied);
    EXPECT_EQ(stages[k].iterations, 50);
  }
  EXPECT_EQ(stages[3].name, "fine-tuning");
  EXPECT_EQ(stages[3].frozen_layers, 0);
  EXPECT_THAT(stages[3].shape.hidden, ElementsAre(6, 4, 3));
  EXPECT_EQ(stages[3].iterations, 50);
}

TEST(StagesTest, FineTuningHasIterationsOfItsOwn) {
  TrainOptions options = Greedy({6, 3});
  for (const int64_t fine_tune : {0, 7}) {
    options.fine_tune = fine_tune;
    EXPECT_EQ(StagesOf(options, 9)[1].iterations, 50);
    EXPECT_EQ(StagesOf(options, 9)[2].iterations, fine_tune);
  }
}

TEST(StagesTest, EachLayerHasItsOwnSparsity) {
  TrainOptions options = Greedy({6, 3});
  options.objective.rho = {0.1, 0.2};
  options.objective.beta = {3};
  const std::vector<Stage> stages = StagesOf(options, 9);
  EXPECT_THAT(stages[0].objective.rho, ElementsAre(0.1));
  EXPECT_THAT(stages[1].objective.rho, ElementsAre(0.2));
  EXPECT_THAT(stages[1].objective.beta, ElementsAre(3));
  EXPECT_THAT(stages[2].objective.rho, ElementsAre(0.1, 0.2));
}

// What the second stage reconstructs are activations of the first layer.
TEST(StagesTest, CodesAreReconstructedByUnitsOfTheirKindWithALossThatIsDefined) {
  TrainOptions options = Greedy({6, 3});
  const std::vector<Stage> tanh = StagesOf(options, 9);
  EXPECT_EQ(tanh[0].network.decoder, Activation::kSigmoid);
  EXPECT_EQ(tanh[0].objective.loss, Loss::kCrossEntropy);
  EXPECT_EQ(tanh[1].network.decoder, Activation::kTanh);
  EXPECT_EQ(tanh[1].objective.loss, Loss::kSquared);
  EXPECT_EQ(tanh[2].network.decoder, Activation::kSigmoid);
  EXPECT_EQ(tanh[2].objective.loss, Loss::kCrossEntropy);
  options.network.activation = Activation::kSigmoid;
  EXPECT_EQ(StagesOf(options, 9)[1].objective.loss, Loss::kCrossEntropy);
}

TEST(StagesTest, ContractionIsOfTheStepsAlone) {
  TrainOptions options = Greedy({6, 3});
  options.objective.kappa = 0.5;
  const std::vector<Stage> stages = StagesOf(options, 9);
  EXPECT_EQ(stages[0].objective.kappa, 0.5);
  EXPECT_EQ(stages[1].objective.kappa, 0.5);
  EXPECT_EQ(stages[2].objective.kappa, 0);
}

// ---- Unrolling ---------------------------------------------------------------------------------

std::vector<std::vector<double>> Trained(const std::vector<Stage>& stages) {
  std::vector<std::vector<double>> trained;
  for (const Stage& stage : stages) {
    std::vector<double>& flat = trained.emplace_back(stage.shape.parameters());
    for (size_t i = 0; i < flat.size(); ++i) {
      flat[i] = std::sin(static_cast<double>(i) + 10 * static_cast<double>(trained.size()));
    }
  }
  return trained;
}

// `rows` of a network's layers [first, last), in row-major order.
std::vector<double> Through(const NetworkShape& shape, const NetworkOptions& options,
                            const std::vector<double>& flat, std::vector<double> rows,
                            int64_t first, int64_t last) {
  const Autoencoder<double> network(shape, options);
  const Parameters<const double> parameters = ViewParameters(shape, std::span<const double>(flat));
  for (int64_t layer = first; layer < last; ++layer) {
    const auto count = std::ssize(rows) / shape.width(layer);
    std::vector<double> out(static_cast<size_t>(count * shape.width(layer + 1)));
    network.Forward(layer, parameters, {rows.data(), count, shape.width(layer)},
                    {out.data(), count, shape.width(layer + 1)});
    rows = out;
  }
  return rows;
}

// The unrolled network encodes by the steps' encoders upwards and decodes by their decoders down.
TEST(UnrollTest, IsTheStepsOneInsideTheOther) {
  for (const bool tied : {false, true}) {
    const TrainOptions options = Greedy({6, 4, 3}, tied);
    const std::vector<Stage> stages = StagesOf(options, 5);
    const std::vector<std::vector<double>> trained = Trained(stages);
    std::vector<double> input(2 * 5);
    for (size_t i = 0; i < input.size(); ++i) input[i] = std::cos(static_cast<double>(i));
    for (const int64_t layers : {1, 2, 3}) {
      NetworkOptions network = options.network;
      network.hidden.resize(static_cast<size_t>(layers));
      const NetworkShape shape(5, network);
      const std::vector<double> flat = Unroll(stages, trained, layers, 5);
      ASSERT_EQ(std::ssize(flat), shape.parameters());
      std::vector<double> expected = input;
      for (size_t k = 0; k < static_cast<size_t>(layers); ++k) {
        expected = Through(stages[k].shape, stages[k].network, trained[k], expected, 0, 1);
      }
      EXPECT_EQ(Through(shape, network, flat, input, 0, layers), expected);
      for (auto k = static_cast<size_t>(layers); k-- > 0;) {
        expected = Through(stages[k].shape, stages[k].network, trained[k], expected, 1, 2);
      }
      EXPECT_EQ(Through(shape, network, flat, input, 0, 2 * layers), expected);
    }
  }
}

TEST(UnrollTest, IsUndoneBySplitting) {
  for (const bool tied : {false, true}) {
    const std::vector<Stage> stages = StagesOf(Greedy({6, 4, 3}, tied), 5);
    std::vector<std::vector<double>> trained = Trained(stages);
    for (size_t layers = 3; layers > 0; --layers) {
      trained.resize(layers);
      const std::vector<double> flat = Unroll(stages, trained, std::ssize(trained), 5);
      std::vector<std::vector<double>> split =
          Split(stages, std::span<const double>(flat), std::ssize(trained), 5);
      EXPECT_EQ(split, trained);
    }
  }
}

TEST(UnrollTest, OfOneLayerIsThatLayer) {
  for (const bool tied : {false, true}) {
    const std::vector<Stage> stages = StagesOf(Greedy({6, 4}, tied), 5);
    const std::vector<std::vector<double>> trained = Trained(stages);
    EXPECT_EQ(Unroll(stages, trained, 1, 5), trained[0]);
  }
}

}  // namespace
}  // namespace rhohat
