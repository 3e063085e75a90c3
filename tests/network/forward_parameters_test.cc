#include "network/forward_parameters.h"

#include <gtest/gtest.h>

#include <vector>

#include "network/autoencoder.h"

namespace rhohat {
namespace {

// A network with parameters, biases among them, and rows to feed it.
struct Case {
  NetworkShape shape;
  NetworkOptions options;
  std::vector<double> flat;
  std::vector<double> rows;
  static constexpr int64_t kRows = 67;

  explicit Case(NetworkShape shape_in)
      : shape(std::move(shape_in)), options{.hidden = shape.hidden, .tied = shape.tied} {
    flat.resize(static_cast<size_t>(shape.parameters()));
    InitialiseParameters(shape, 1, std::span(flat));
    for (size_t i = 0; i < flat.size(); ++i) flat[i] += 0.01 * static_cast<double>(i % 7);
    rows.resize(static_cast<size_t>(kRows * shape.inputs));
    for (size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<double>(i * 31 % 97) / 97;
  }

  Parameters<const double> parameters() const {
    return ViewParameters(shape, std::span<const double>(flat));
  }

  // All levels, one after another.
  std::vector<std::vector<double>> Run(const Parameters<const double>& parameters,
                                       bool to_product) const {
    const Autoencoder<double> network(shape, options);
    std::vector<std::vector<double>> levels;
    std::vector<double*> places;
    for (int64_t level = 1; level <= shape.layers(); ++level) {
      levels.emplace_back(static_cast<size_t>(kRows * shape.width(level)));
    }
    for (std::vector<double>& level : levels) places.push_back(level.data());
    const auto depth = static_cast<size_t>(shape.depth());
    const std::span<double* const> all(places);
    network.Encode(parameters, {rows.data(), kRows, shape.inputs}, all.first(depth));
    const MatrixView<const double> code(places[depth - 1], kRows, shape.code());
    if (to_product) {
      network.DecodeToProduct(parameters, code, all.subspan(depth));
    } else {
      network.Decode(parameters, code, all.subspan(depth));
    }
    return levels;
  }
};

std::vector<NetworkShape> Shapes() {
  return {{11, {5}}, {11, {5}, true}, {64, {25, 7}}, {64, {25, 7}, true}, {150, {60}}};
}

TEST(ForwardParameters, GiveWhatTheParametersGive) {
  for (const NetworkShape& shape : Shapes()) {
    const Case example(shape);
    ForwardParameters<double> forward(shape);
    forward.Set(example.parameters());
    const auto expected = example.Run(example.parameters(), false);
    const auto found = example.Run(forward.get(), false);
    for (size_t level = 0; level < expected.size(); ++level) {
      for (size_t i = 0; i < expected[level].size(); ++i) {
        ASSERT_NEAR(found[level][i], expected[level][i], 1e-14) << shape.Text();
      }
    }
  }
}

TEST(ForwardParameters, FollowWhatIsSetLast) {
  const NetworkShape shape{11, {5}};
  const Case example(shape);
  std::vector<double> zeros(example.flat.size(), 0);
  ForwardParameters<double> forward(shape);
  forward.Set(example.parameters());
  forward.Set(ViewParameters(shape, std::span<const double>(zeros)));
  const auto levels = example.Run(forward.get(), false);
  for (const double value : levels.back()) EXPECT_EQ(value, 0.5);
}

TEST(ForwardParameters, TakeNoMoreMemoryThanStated) {
  // Both weights turned, and biases of a thousand values each.
  EXPECT_EQ(ForwardParameters<float>::MemoryBytes({64, {25}}),
            (2 * 64 * 25 + 32 * 25 + 16 * 64) * sizeof(float));
  // None, and the biases as they are where they are long.
  EXPECT_EQ(ForwardParameters<float>::MemoryBytes({784, {600}}), (784 + 600) * sizeof(float));
}

// The product, with bias and function done to it by hand, is what Decode() gives.
TEST(Autoencoder, DecodesToTheProductThatTheLastFunctionIsAppliedTo) {
  for (const NetworkShape& shape : Shapes()) {
    const Case example(shape);
    const auto expected = example.Run(example.parameters(), false);
    const auto found = example.Run(example.parameters(), true);
    const Parameters<const double> parameters = example.parameters();
    std::vector<double> output = found.back();
    const Autoencoder<double> network(shape, example.options);
    const auto apply = network.activation(shape.layers() - 1).apply;
    for (int64_t i = 0; i < Case::kRows; ++i) {
      apply(output.data() + i * shape.inputs, parameters[shape.layers() - 1].bias.data(),
            shape.inputs);
    }
    EXPECT_EQ(output, expected.back()) << shape.Text();
    EXPECT_EQ(found.front(), expected.front());
  }
}

}  // namespace
}  // namespace rhohat
