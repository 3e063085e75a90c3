#include "network/parameters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/keyed_random.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

using testing::Each;
using testing::ElementsAre;

template <class T>
std::vector<T> Flat(const NetworkShape& shape) {
  return std::vector<T>(static_cast<size_t>(shape.parameters()));
}

std::vector<int64_t> Widths(const NetworkShape& shape) {
  std::vector<int64_t> widths;
  for (int64_t level = 0; level <= shape.layers(); ++level) widths.push_back(shape.width(level));
  return widths;
}

const std::vector<NetworkShape> kShapes = {{5, {3}},          {5, {3}, true}, {5, {4, 2}},
                                           {5, {4, 2}, true}, {2, {6, 1, 3}}, {2, {6, 1, 3}, true}};

TEST(NetworkShapeTest, TheDecoderMirrorsTheEncoder) {
  EXPECT_THAT(Widths({5, {3}}), ElementsAre(5, 3, 5));
  EXPECT_THAT(Widths({5, {4, 2}}), ElementsAre(5, 4, 2, 4, 5));
  EXPECT_THAT(Widths({2, {6, 1, 3}}), ElementsAre(2, 6, 1, 3, 1, 6, 2));
  const NetworkShape shape(2, {6, 1, 3});
  EXPECT_EQ(shape.code(), 3);
  EXPECT_EQ(shape.widest(), 6);
  EXPECT_EQ(NetworkShape(9, {6, 1, 3}).widest(), 9);
  EXPECT_EQ(shape.mirror(0), 5);
  EXPECT_EQ(shape.mirror(3), 2);
}

TEST(NetworkShapeTest, CountsAreThoseOfTheMatrices) {
  EXPECT_EQ(NetworkShape(5, {3}).parameters(), 15 + 3 + 15 + 5);
  EXPECT_EQ(NetworkShape(5, {3}, true).parameters(), 15 + 3 + 5);
  EXPECT_EQ(NetworkShape(5, {4, 2}).weights(), 20 + 8 + 8 + 20);
  EXPECT_EQ(NetworkShape(5, {4, 2}).biases(), 4 + 2 + 4 + 5);
  EXPECT_EQ(NetworkShape(5, {4, 2}, true).weights(), 20 + 8);
  EXPECT_EQ(NetworkShape(5, {4, 2}, true).biases(), 4 + 2 + 4 + 5);
  const NetworkShape shape(2, {6, 1, 3});
  EXPECT_EQ(shape.encoder_units(), 10);
  EXPECT_EQ(shape.encoder_offset(0), 0);
  EXPECT_EQ(shape.encoder_offset(1), 6);
  EXPECT_EQ(shape.encoder_offset(2), 7);
}

// Each weight and bias once, layer after layer; what a tied decoder has of its own are biases.
TEST(ParametersTest, TheViewsTileTheVectorInOrder) {
  for (const NetworkShape& shape : kShapes) {
    std::vector<double> flat = Flat<double>(shape);
    const Parameters<double> views = ViewParameters(shape, std::span(flat));
    ASSERT_EQ(std::ssize(views.layers), shape.layers());
    double* next = flat.data();
    for (int64_t layer = 0; layer < shape.layers(); ++layer) {
      const LayerParameters<double>& part = views[layer];
      EXPECT_EQ(part.transposed, shape.tied && layer >= shape.depth());
      if (!part.transposed) {
        EXPECT_EQ(part.weight.data, next);
        EXPECT_EQ(part.weight.rows, shape.width(layer + 1));
        EXPECT_EQ(part.weight.columns, shape.width(layer));
        next += part.weight.size();
      }
      EXPECT_EQ(part.bias.data(), next);
      EXPECT_EQ(std::ssize(part.bias), shape.width(layer + 1));
      next += part.bias.size();
    }
    EXPECT_EQ(next, flat.data() + flat.size());
  }
}

TEST(ParametersTest, ATiedLayerSharesTheWeightOfItsMirrorImage) {
  const NetworkShape shape(5, {4, 2}, true);
  std::vector<float> flat = Flat<float>(shape);
  const Parameters<float> views = ViewParameters(shape, std::span(flat));
  EXPECT_EQ(views[2].weight.data, views[1].weight.data);
  EXPECT_EQ(views[2].weight.rows, 2);
  EXPECT_EQ(views[2].weight.columns, 4);
  EXPECT_EQ(views[3].weight.data, views[0].weight.data);
  EXPECT_EQ(views[3].weight.rows, 4);
  EXPECT_EQ(views[3].weight.columns, 5);
}

std::vector<std::string> Names(const NetworkShape& shape) {
  std::vector<std::string> names;
  for (const TensorPlace& place : TensorsOf(shape)) names.push_back(place.name);
  return names;
}

TEST(TensorsTest, HaveTheNamesThatFilesKnowThemBy) {
  EXPECT_THAT(Names({5, {3}}),
              ElementsAre("encoder.weight", "encoder.bias", "decoder.weight", "decoder.bias"));
  EXPECT_THAT(Names({5, {3}, true}), ElementsAre("encoder.weight", "encoder.bias", "decoder.bias"));
  EXPECT_THAT(
      Names({5, {4, 2}}),
      ElementsAre("encoder.0.weight", "encoder.0.bias", "encoder.1.weight", "encoder.1.bias",
                  "decoder.0.weight", "decoder.0.bias", "decoder.1.weight", "decoder.1.bias"));
  EXPECT_THAT(Names({5, {4, 2}, true}),
              ElementsAre("encoder.0.weight", "encoder.0.bias", "encoder.1.weight",
                          "encoder.1.bias", "decoder.0.bias", "decoder.1.bias"));
}

TEST(TensorsTest, AreWhereTheViewsAreAndOfTheirShape) {
  for (const NetworkShape& shape : kShapes) {
    std::vector<double> flat = Flat<double>(shape);
    const Parameters<double> views = ViewParameters(shape, std::span(flat));
    const std::vector<TensorPlace> places = TensorsOf(shape);
    size_t next = 0;
    for (const LayerParameters<double>& part : views.layers) {
      if (!part.transposed) {
        const TensorPlace& weight = places.at(next++);
        EXPECT_EQ(flat.data() + weight.offset, part.weight.data) << weight.name;
        EXPECT_THAT(weight.shape, ElementsAre(part.weight.rows, part.weight.columns));
        EXPECT_EQ(weight.size, part.weight.flat().size());
      }
      const TensorPlace& bias = places.at(next++);
      EXPECT_EQ(flat.data() + bias.offset, part.bias.data()) << bias.name;
      EXPECT_THAT(bias.shape, ElementsAre(std::ssize(part.bias)));
      EXPECT_EQ(bias.size, part.bias.size());
    }
    EXPECT_EQ(next, places.size());
  }
}

void ExpectUniform(std::span<const double> weights, double range) {
  const auto count = static_cast<double>(weights.size());
  const auto [low, high] = std::ranges::minmax(weights);
  EXPECT_GE(low, -range);
  EXPECT_LT(high, range);
  EXPECT_LT(low, -0.99 * range);
  EXPECT_GT(high, 0.99 * range);
  double sum = 0;
  double squares = 0;
  for (const double value : weights) {
    sum += value;
    squares += value * value;
  }
  // Mean 0 and variance r²/3, within five standard errors.
  EXPECT_NEAR(sum / count, 0, 5 * range / std::sqrt(3 * count));
  EXPECT_NEAR(squares / count, range * range / 3, 5 * range * range * std::sqrt(4 / 45.0 / count));
}

TEST(InitialiseTest, EachLayersWeightsAreUniformInItsRangeAndBiasesAreZero) {
  for (const NetworkShape& shape :
       {NetworkShape(200, {100}), NetworkShape(100, {80, 30}), NetworkShape(100, {80, 30}, true)}) {
    std::vector<double> flat = Flat<double>(shape);
    std::ranges::fill(flat, 7.0);
    InitialiseParameters(shape, 7, std::span(flat));
    const Parameters<const double> parameters =
        ViewParameters(shape, std::span<const double>(flat));
    for (int64_t layer = 0; layer < shape.layers(); ++layer) {
      const auto fans = static_cast<double>(shape.width(layer) + shape.width(layer + 1));
      ExpectUniform(parameters[layer].weight.flat(), std::sqrt(6 / (fans + 1)));
      EXPECT_THAT(parameters[layer].bias, Each(0));
    }
  }
}

// A model of the same seed must come out the same in any later version: docs/math.md §7.
TEST(InitialiseTest, WeightsAreTheSeedsNumbersInTheOrderOfTheVector) {
  const NetworkShape shape(3, {4, 2});
  std::vector<double> flat = Flat<double>(shape);
  InitialiseParameters(shape, 11, std::span(flat));
  const KeyedRandom random(11, RandomPurpose::kInitialWeights);
  uint64_t index = 0;
  for (const LayerParameters<double>& layer : ViewParameters(shape, std::span(flat)).layers) {
    const double range =
        std::sqrt(6.0 / static_cast<double>(layer.weight.rows + layer.weight.columns + 1));
    for (const double weight : layer.weight.flat()) {
      EXPECT_EQ(weight, (2 * random.Uniform(index++) - 1) * range);
    }
  }
}

TEST(InitialiseTest, FloatIsTheDoubleRoundedAndSeedsDiffer) {
  for (const NetworkShape& shape : kShapes) {
    std::vector<double> doubles = Flat<double>(shape);
    std::vector<float> floats = Flat<float>(shape);
    std::vector<double> other = Flat<double>(shape);
    InitialiseParameters(shape, 1, std::span(doubles));
    InitialiseParameters(shape, 1, std::span(floats));
    InitialiseParameters(shape, 2, std::span(other));
    for (size_t i = 0; i < doubles.size(); ++i) {
      EXPECT_EQ(floats[i], static_cast<float>(doubles[i]));
    }
    EXPECT_NE(doubles, other);
  }
}

TEST(InitialiseTest, LayersOfOneShapeDiffer) {
  const NetworkShape shape(3, {3, 3});
  std::vector<double> flat = Flat<double>(shape);
  InitialiseParameters(shape, 1, std::span(flat));
  const Parameters<double> parameters = ViewParameters(shape, std::span(flat));
  for (int64_t layer = 1; layer < 4; ++layer) {
    EXPECT_FALSE(std::ranges::equal(parameters[0].weight.flat(), parameters[layer].weight.flat()));
  }
}

TEST(CheckShapeTest, RefusesNetworksThatCannotBeCounted) {
  constexpr int64_t kHuge = int64_t{1} << 40;
  EXPECT_THROW(CheckShape({kHuge, {kHuge}}), Error);
  EXPECT_THROW(CheckShape({5, {5, kHuge, kHuge}}), Error);
  EXPECT_THROW(CheckShape({5, std::vector<int64_t>()}), Error);
  EXPECT_THROW(CheckShape({5, {0}}), Error);
  EXPECT_THROW(CheckShape({5, {3, -1}}), Error);
  EXPECT_THROW(CheckShape({0, {3}}), Error);
  EXPECT_NO_THROW(CheckShape({5, {1}}));
  EXPECT_NO_THROW(CheckShape({5, {1, 1, 1}, true}));
}

// Layers that can each be counted, and not all together.
TEST(CheckShapeTest, RefusesLayersThatAreTooManyTogether) {
  constexpr int64_t kWide = int64_t{1} << 28;
  EXPECT_NO_THROW(CheckShape({kWide, {kWide}}));
  EXPECT_THROW(CheckShape({kWide, {kWide, kWide, kWide}}), Error);
}

}  // namespace
}  // namespace rhohat
