#include "analyze/activation_maximisation.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <vector>

#include "analyze/sphere_ascent.h"
#include "base/keyed_random.h"
#include "math/vector_ops.h"

namespace rhohat {
namespace {

using testing::DoubleNear;
using testing::Each;
using testing::Pointwise;

// A network with weights of the size given and biases that are not 0.
struct Network {
  Network(int64_t inputs, std::vector<int64_t> hidden, Activation activation, double size = 1,
          bool tied = false)
      : shape(inputs, hidden, tied), flat(static_cast<size_t>(shape.parameters())) {
    options.hidden = std::move(hidden);
    options.activation = activation;
    options.tied = tied;
    const KeyedRandom random(5, RandomPurpose::kInitialWeights);
    for (size_t i = 0; i < flat.size(); ++i) flat[i] = size * (2 * random.Uniform(i) - 1);
  }

  MatrixView<const double> Weight(int64_t layer) const {
    return ViewParameters(shape, std::span<const double>(flat))[layer].weight;
  }

  ActivationMaximiser Maximiser(double norm, int64_t units) const {
    return {shape, options, flat, shape.depth() - 1, norm, units};
  }

  // What excites each unit of the code most: a row each.
  std::vector<double> Maximise(double norm) const {
    std::vector<double> inputs(static_cast<size_t>(shape.code() * shape.inputs));
    Maximiser(norm, shape.code()).Maximise(0, {inputs.data(), shape.code(), shape.inputs});
    return inputs;
  }

  NetworkShape shape;
  NetworkOptions options;
  std::vector<double> flat;
};

struct Point {
  double value = 0;
  std::vector<double> gradient;
};

Point At(const Network& network, int64_t unit, std::span<const double> x) {
  Point point;
  point.gradient.resize(x.size());
  const auto n = static_cast<int64_t>(x.size());
  network.Maximiser(1, 1).Evaluate({&unit, 1}, {x.data(), 1, n}, {&point.value, 1},
                                   {point.gradient.data(), 1, n});
  return point;
}

std::span<const double> RowOf(const std::vector<double>& matrix, int64_t row, int64_t columns) {
  return std::span(matrix).subspan(static_cast<size_t>(row * columns),
                                   static_cast<size_t>(columns));
}

double Cosine(std::span<const double> a, std::span<const double> b) {
  return Dot<double>(a, b) / (Norm<double>(a) * Norm<double>(b));
}

constexpr Activation kAll[] = {Activation::kSigmoid, Activation::kTanh, Activation::kRelu,
                               Activation::kLinear};

TEST(ActivationMaximisationTest, TheGradientIsThatOfTheValue) {
  constexpr double kStep = 1e-5;
  for (const Activation activation : kAll) {
    const Network network(5, {7, 4, 3}, activation);
    std::vector<double> x = {0.3, -0.8, 0.5, 1.1, -0.2};
    for (int64_t unit = 0; unit < 3; ++unit) {
      const Point here = At(network, unit, x);
      for (size_t j = 0; j < x.size(); ++j) {
        std::vector<double> above = x;
        std::vector<double> below = x;
        above[j] += kStep;
        below[j] -= kStep;
        const double rise = At(network, unit, above).value - At(network, unit, below).value;
        EXPECT_NEAR(here.gradient[j], rise / (2 * kStep), 1e-9)
            << InfoOf(activation).name << " " << unit << " " << j;
      }
    }
  }
}

TEST(ActivationMaximisationTest, TheFirstLayersAnswerIsItsWeights) {
  for (const Activation activation : kAll) {
    const Network network(6, {4}, activation);
    const std::vector<double> inputs = network.Maximise(2.5);
    for (int64_t unit = 0; unit < 4; ++unit) {
      std::vector<double> expected(network.Weight(0).row(unit), network.Weight(0).row(unit) + 6);
      ScaleToNorm(2.5, expected);
      EXPECT_THAT(RowOf(inputs, unit, 6), Pointwise(DoubleNear(1e-12), expected));
    }
  }
}

TEST(ActivationMaximisationTest, ALinearNetworksAnswerIsTheProductOfItsWeights) {
  const Network network(6, {5, 4, 3}, Activation::kLinear);
  const std::vector<double> inputs = network.Maximise(1);
  for (int64_t unit = 0; unit < 3; ++unit) {
    std::vector<double> product(network.Weight(2).row(unit), network.Weight(2).row(unit) + 4);
    for (const int64_t layer : {1, 0}) {
      const MatrixView<const double> weight = network.Weight(layer);
      std::vector<double> next(static_cast<size_t>(weight.columns));
      for (int64_t i = 0; i < weight.rows; ++i) {
        for (int64_t j = 0; j < weight.columns; ++j) {
          next[static_cast<size_t>(j)] += product[static_cast<size_t>(i)] * weight.row(i)[j];
        }
      }
      product = next;
    }
    ScaleToNorm(1, product);
    EXPECT_THAT(RowOf(inputs, unit, 6), Pointwise(DoubleNear(1e-10), product));
  }
}

// First-order condition of a maximum under ‖x‖ = r, and the value itself.
TEST(ActivationMaximisationTest, ADeepAnswerHasItsGradientAlongItselfAndBeatsRandomInputs) {
  const KeyedRandom random(9, RandomPurpose::kGradientSample);
  for (const Activation activation : {Activation::kSigmoid, Activation::kTanh}) {
    for (const double norm : {0.1, 1.0, 4.0}) {
      const Network network(8, {7, 6, 5}, activation, 1.5);
      const std::vector<double> inputs = network.Maximise(norm);
      for (int64_t unit = 0; unit < 5; ++unit) {
        const std::span<const double> x = RowOf(inputs, unit, 8);
        const Point best = At(network, unit, x);
        EXPECT_NEAR(Norm<double>(x), norm, 1e-12 * norm);
        // At norm 4 many units are saturated: values are equal in double over a range of
        // directions, and only the comparison below says something.
        const double off = 1 - std::fabs(Cosine(x, best.gradient));
        EXPECT_TRUE(norm > 1 || off < 1e-10) << off;
        for (uint64_t trial = 0; trial < 200; ++trial) {
          std::vector<double> other(8);
          for (size_t j = 0; j < 8; ++j) other[j] = 2 * random.Uniform(8 * trial + j) - 1;
          ScaleToNorm(norm, other);
          EXPECT_LT(At(network, unit, other).value, best.value);
        }
      }
    }
  }
}

// z = relu(x₁ − 1) + 3 relu(−x₁ − x₂ − 1): the linear network's direction leads to the lower hill
// or the higher, whichever way the unit weighs them; the higher is found for both.
TEST(ActivationMaximisationTest, TheHighestOfSeveralMaximaIsFound) {
  Network network(2, {2, 2}, Activation::kRelu, 0);
  const Parameters<double> parameters = ViewParameters(network.shape, std::span(network.flat));
  std::ranges::copy(std::vector<double>{1, 0, 0, 1}, parameters[0].weight.data);
  std::ranges::copy(std::vector<double>{-1, 0}, parameters[0].bias.data());
  std::ranges::copy(std::vector<double>{1.5, 1, -1, -2}, parameters[1].weight.data);
  const std::vector<double> inputs = network.Maximise(2);
  // Unit 0: 1.5 relu(x₁ − 1) + relu(x₂). At (2, 0) 1.5, at (0, 2) 2; the maximum lies between:
  // the gradient (1.5, 1) where x₁ > 1.
  EXPECT_THAT(RowOf(inputs, 0, 2),
              Pointwise(DoubleNear(1e-6), {2 * 1.5 / std::hypot(1.5, 1), 2 / std::hypot(1.5, 1)}));
  // Unit 1 is never excited, and least damped where both are off.
  EXPECT_EQ(At(network, 1, RowOf(inputs, 1, 2)).value, 0);
}

TEST(ActivationMaximisationTest, AUnitThatDependsOnNothingHasNoAnswer) {
  for (const Activation activation : kAll) {
    Network network(4, {3, 2}, activation);
    std::ranges::fill(ViewParameters(network.shape, std::span(network.flat))[0].weight.flat(), 0.0);
    EXPECT_THAT(network.Maximise(1), Each(0.0));
  }
}

TEST(ActivationMaximisationTest, AWeightThatIsNotFiniteShowsInTheAnswer) {
  for (const double bad :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    for (const int64_t layer : {0, 1}) {
      Network network(4, {3, 1}, Activation::kSigmoid);
      ViewParameters(network.shape, std::span(network.flat))[layer].weight.data[1] = bad;
      const std::vector<double> inputs = network.Maximise(1);
      EXPECT_FALSE(std::ranges::all_of(inputs, [](double x) { return std::isfinite(x); }));
    }
  }
}

TEST(ActivationMaximisationTest, TiedWeightsAreTheEncodersOwn) {
  const Network tied(5, {4, 3}, Activation::kTanh, 1, true);
  Network untied(5, {4, 3}, Activation::kTanh, 1, false);
  const Parameters<double> parameters = ViewParameters(untied.shape, std::span(untied.flat));
  const auto from = ViewParameters(tied.shape, std::span<const double>(tied.flat));
  for (const int64_t layer : {0, 1}) {
    std::ranges::copy(from[layer].weight.flat(), parameters[layer].weight.data);
    std::ranges::copy(from[layer].bias, parameters[layer].bias.data());
  }
  EXPECT_EQ(tied.Maximise(1), untied.Maximise(1));
}

TEST(ActivationMaximisationTest, TheSameParametersGiveTheSameBits) {
  const Network network(30, {20, 10}, Activation::kSigmoid, 3);
  EXPECT_EQ(network.Maximise(4), network.Maximise(4));
}

}  // namespace
}  // namespace rhohat
