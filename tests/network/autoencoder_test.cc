#include "network/autoencoder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace rhohat {
namespace {

double Sigmoid(double z) { return 1 / (1 + std::exp(-z)); }

TEST(AutoencoderTest, EncodesAndDecodesAsDefined) {
  const NetworkShape shape{.inputs = 4, .hidden = 3};
  std::vector<double> flat(static_cast<size_t>(shape.parameters()));
  for (size_t i = 0; i < flat.size(); ++i) flat[i] = std::sin(static_cast<double>(i));
  const Parameters<const double> p = ViewParameters(shape, std::span<const double>(flat));
  const std::vector<double> rows = {0.1, 0.9, 0.4, 0.3, 0.7, 0.2, 0.0, 1.0};
  std::vector<double> code(6);
  std::vector<double> reconstruction(8);
  const Autoencoder<double> network(shape, {});
  network.Encode(p, {rows.data(), 2, 4}, {code.data(), 2, 3});
  network.Decode(p, {code.data(), 2, 3}, {reconstruction.data(), 2, 4});
  for (int64_t i = 0; i < 2; ++i) {
    for (int64_t j = 0; j < 3; ++j) {
      double z = p.encoder_bias[static_cast<size_t>(j)];
      for (int64_t k = 0; k < 4; ++k)
        z += p.encoder_weight.row(j)[k] * rows[static_cast<size_t>(4 * i + k)];
      EXPECT_NEAR(code[static_cast<size_t>(3 * i + j)], Sigmoid(z), 1e-15);
    }
    for (int64_t k = 0; k < 4; ++k) {
      double z = p.decoder_bias[static_cast<size_t>(k)];
      for (int64_t j = 0; j < 3; ++j)
        z += p.decoder_weight.row(k)[j] * code[static_cast<size_t>(3 * i + j)];
      EXPECT_NEAR(reconstruction[static_cast<size_t>(4 * i + k)], Sigmoid(z), 1e-15);
    }
  }
}

}  // namespace
}  // namespace rhohat
