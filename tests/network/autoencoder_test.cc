// One layer forwards and backwards against loops over units, for deep and tied networks.
#include "network/autoencoder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace rhohat {
namespace {

using Matrix = std::vector<std::vector<double>>;

std::vector<double> Wave(int64_t count, double phase) {
  std::vector<double> values(static_cast<size_t>(count));
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = std::sin(1.7 * static_cast<double>(i) + phase);
  }
  return values;
}

double Apply(Activation activation, double z) {
  switch (activation) {
    case Activation::kSigmoid:
      return 1 / (1 + std::exp(-z));
    case Activation::kTanh:
      return std::tanh(z);
    case Activation::kRelu:
      return z > 0 ? z : 0;
    case Activation::kLinear:
      return z;
  }
  return 0;
}

// Weight (unit, input) of a layer, whoever stores it.
double WeightOf(const LayerParameters<const double>& layer, int64_t unit, int64_t input) {
  return layer.transposed ? layer.weight.row(input)[unit] : layer.weight.row(unit)[input];
}

struct Fixture {
  NetworkShape shape;
  NetworkOptions options;
  int64_t rows = 3;
  std::vector<double> flat = Wave(shape.parameters(), 0.3);
  Parameters<const double> parameters = ViewParameters(shape, std::span<const double>(flat));

  Activation ActivationOf(int64_t layer) const {
    return layer + 1 == shape.layers() ? options.decoder : options.activation;
  }
};

std::vector<Fixture> Fixtures() {
  std::vector<Fixture> fixtures;
  for (const std::vector<int64_t>& hidden : {std::vector<int64_t>{3}, {5, 2}, {2, 6, 3}}) {
    for (const bool tied : {false, true}) {
      for (const ActivationInfo& activation : kActivations) {
        for (const ActivationInfo& decoder : kActivations) {
          if (!decoder.for_decoder) continue;
          const NetworkOptions options = {hidden, activation.value, decoder.value, tied};
          fixtures.push_back({.shape = {4, options}, .options = options});
        }
      }
    }
  }
  return fixtures;
}

TEST(AutoencoderTest, EveryLayerForwardsIsAsDefined) {
  for (const Fixture& f : Fixtures()) {
    const Autoencoder<double> network(f.shape, f.options);
    for (int64_t layer = 0; layer < f.shape.layers(); ++layer) {
      const int64_t inputs = f.shape.width(layer);
      const int64_t outputs = f.shape.width(layer + 1);
      const std::vector<double> in = Wave(f.rows * inputs, 0.1);
      std::vector<double> out(static_cast<size_t>(f.rows * outputs));
      const MatrixView<const double> in_view(in.data(), f.rows, inputs);
      const MatrixView<double> out_view(out.data(), f.rows, outputs);
      network.Forward(layer, f.parameters, in_view, out_view);
      for (int64_t i = 0; i < f.rows; ++i) {
        for (int64_t j = 0; j < outputs; ++j) {
          double z = f.parameters[layer].bias[static_cast<size_t>(j)];
          for (int64_t k = 0; k < inputs; ++k) {
            z += WeightOf(f.parameters[layer], j, k) * in_view.row(i)[k];
          }
          EXPECT_NEAR(out_view.row(i)[j], Apply(f.ActivationOf(layer), z), 1e-14);
        }
      }
    }
  }
}

TEST(AutoencoderTest, EncodeAndDecodeAreTheLayersOneAfterAnother) {
  for (const Fixture& f : Fixtures()) {
    const Autoencoder<double> network(f.shape, f.options);
    const std::vector<double> rows = Wave(f.rows * f.shape.inputs, 0.5);
    Matrix levels;
    Matrix expected;
    std::vector<double*> places;
    for (int64_t level = 1; level <= f.shape.layers(); ++level) {
      levels.emplace_back(static_cast<size_t>(f.rows * f.shape.width(level)));
    }
    for (std::vector<double>& level : levels) places.push_back(level.data());
    const auto depth = static_cast<size_t>(f.shape.depth());
    const MatrixView<const double> in(rows.data(), f.rows, f.shape.inputs);
    network.Encode(f.parameters, in, std::span(places).first(depth));
    network.Decode(f.parameters, {levels[depth - 1].data(), f.rows, f.shape.code()},
                   std::span(places).subspan(depth));
    MatrixView<const double> current = in;
    for (int64_t layer = 0; layer < f.shape.layers(); ++layer) {
      expected.emplace_back(levels[static_cast<size_t>(layer)].size());
      const MatrixView<double> out(expected.back().data(), f.rows, f.shape.width(layer + 1));
      network.Forward(layer, f.parameters, current, out);
      current = out;
    }
    EXPECT_EQ(levels, expected);
  }
}

TEST(AutoencoderTest, AnOutputBeforeItsActivationIsLinear) {
  const NetworkOptions options = {{3}, Activation::kTanh, Activation::kSigmoid, false};
  const Autoencoder<double> logits({4, options}, options, true);
  const auto& linear = BestKernels<double>().activations[static_cast<int>(Activation::kLinear)];
  const auto& tanh = BestKernels<double>().activations[static_cast<int>(Activation::kTanh)];
  EXPECT_EQ(&logits.activation(0), &tanh);
  EXPECT_EQ(&logits.activation(1), &linear);
}

TEST(AutoencoderTest, EveryLayerBackwardsIsAsDefined) {
  for (const Fixture& f : Fixtures()) {
    const Autoencoder<double> network(f.shape, f.options);
    for (int64_t layer = 0; layer < f.shape.layers(); ++layer) {
      const int64_t inputs = f.shape.width(layer);
      const int64_t outputs = f.shape.width(layer + 1);
      const std::vector<double> delta = Wave(f.rows * outputs, 0.7);
      std::vector<double> back(static_cast<size_t>(f.rows * inputs), 99.0);
      const MatrixView<const double> out_delta(delta.data(), f.rows, outputs);
      const MatrixView<double> in_delta(back.data(), f.rows, inputs);
      network.Backward(layer, f.parameters, out_delta, in_delta);
      for (int64_t i = 0; i < f.rows; ++i) {
        for (int64_t k = 0; k < inputs; ++k) {
          double sum = 0;
          for (int64_t j = 0; j < outputs; ++j) {
            sum += out_delta.row(i)[j] * WeightOf(f.parameters[layer], j, k);
          }
          EXPECT_NEAR(in_delta.row(i)[k], sum, 1e-14);
        }
      }
    }
  }
}

// In the shape of the stored weight, on top of what is there.
TEST(AutoencoderTest, WeightGradientsAreAddedAsDefined) {
  for (const Fixture& f : Fixtures()) {
    const Autoencoder<double> network(f.shape, f.options);
    std::vector<double> sums = Wave(f.shape.parameters(), 2.0);
    const std::vector<double> before = sums;
    const Parameters<double> view = ViewParameters(f.shape, std::span(sums));
    const Parameters<const double> old = ViewParameters(f.shape, std::span<const double>(before));
    for (int64_t layer = f.shape.depth(); layer < f.shape.layers(); ++layer) {
      const int64_t inputs = f.shape.width(layer);
      const int64_t outputs = f.shape.width(layer + 1);
      const std::vector<double> delta = Wave(f.rows * outputs, 0.7);
      const std::vector<double> in = Wave(f.rows * inputs, 0.2);
      const MatrixView<const double> delta_view(delta.data(), f.rows, outputs);
      const MatrixView<const double> in_view(in.data(), f.rows, inputs);
      network.AddWeightGradient(layer, delta_view, in_view, view[layer].weight);
      for (int64_t j = 0; j < outputs; ++j) {
        for (int64_t k = 0; k < inputs; ++k) {
          double sum = WeightOf(old[layer], j, k);
          for (int64_t i = 0; i < f.rows; ++i) sum += delta_view.row(i)[j] * in_view.row(i)[k];
          const LayerParameters<double>& part = view[layer];
          EXPECT_NEAR(part.transposed ? part.weight.row(k)[j] : part.weight.row(j)[k], sum, 1e-14);
        }
      }
    }
  }
}

}  // namespace
}  // namespace rhohat
