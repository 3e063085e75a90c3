#include "network/parameters.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "rhohat/error.h"

namespace rhohat {
namespace {

TEST(ParametersTest, TheFourViewsTileTheVectorInOrder) {
  const NetworkShape shape{.inputs = 5, .hidden = 3};
  std::vector<double> flat(static_cast<size_t>(shape.parameters()));
  std::iota(flat.begin(), flat.end(), 0);
  const Parameters<double> views = ViewParameters(shape, std::span(flat));
  EXPECT_EQ(views.encoder_weight.rows, 3);
  EXPECT_EQ(views.encoder_weight.columns, 5);
  EXPECT_EQ(views.encoder_weight.row(2)[4], 14);
  EXPECT_EQ(views.encoder_bias.front(), 15);
  EXPECT_EQ(views.decoder_weight.rows, 5);
  EXPECT_EQ(views.decoder_weight.row(0)[0], 18);
  EXPECT_EQ(views.decoder_bias.back(), 37);
  EXPECT_EQ(views.decoder_bias.size(), 5U);
}

TEST(InitialiseTest, WeightsAreUniformInTheRangeOfTheNotesAndBiasesAreZero) {
  const NetworkShape shape{.inputs = 200, .hidden = 100};
  std::vector<double> flat(static_cast<size_t>(shape.parameters()));
  InitialiseParameters(shape, 7, std::span(flat));
  const Parameters<double> parameters = ViewParameters(shape, std::span(flat));
  const double range = std::sqrt(6.0 / 301);
  for (const auto& weight : {parameters.encoder_weight, parameters.decoder_weight}) {
    const auto [low, high] = std::ranges::minmax(weight.flat());
    EXPECT_GE(low, -range);
    EXPECT_LT(high, range);
    EXPECT_LT(low, -0.999 * range);
    EXPECT_GT(high, 0.999 * range);
    double sum = 0;
    double squares = 0;
    for (const double value : weight.flat()) {
      sum += value;
      squares += value * value;
    }
    // Mean 0 and variance r²/3, within five standard errors of 20 000 draws.
    EXPECT_NEAR(sum / 20000, 0, 5 * range / std::sqrt(3.0 * 20000));
    EXPECT_NEAR(squares / 20000, range * range / 3, 0.03 * range * range);
  }
  EXPECT_TRUE(std::ranges::all_of(parameters.encoder_bias, [](double b) { return b == 0; }));
  EXPECT_TRUE(std::ranges::all_of(parameters.decoder_bias, [](double b) { return b == 0; }));
}

TEST(InitialiseTest, FloatIsTheDoubleRoundedAndSeedsDiffer) {
  const NetworkShape shape{.inputs = 11, .hidden = 7};
  const auto size = static_cast<size_t>(shape.parameters());
  std::vector<double> doubles(size);
  std::vector<float> floats(size);
  std::vector<double> other(size);
  InitialiseParameters(shape, 1, std::span(doubles));
  InitialiseParameters(shape, 1, std::span(floats));
  InitialiseParameters(shape, 2, std::span(other));
  for (size_t i = 0; i < size; ++i) EXPECT_EQ(floats[i], static_cast<float>(doubles[i]));
  EXPECT_NE(doubles, other);
}

TEST(CheckShapeTest, RefusesNetworksThatCannotBeCounted) {
  EXPECT_THROW(CheckShape({.inputs = int64_t{1} << 40, .hidden = int64_t{1} << 40}), Error);
  EXPECT_THROW(CheckShape({.inputs = 5, .hidden = 0}), Error);
  EXPECT_NO_THROW(CheckShape({.inputs = 5, .hidden = 1}));
}

}  // namespace
}  // namespace rhohat
