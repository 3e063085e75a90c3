#include "network/parameters.h"

#include <algorithm>
#include <cmath>

#include "base/keyed_random.h"
#include "base/units.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

template <class T>
void FillUniform(const KeyedRandom& random, uint64_t first_index, double range,
                 std::span<T> values) {
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<T>((2 * random.Uniform(first_index + i) - 1) * range);
  }
}

}  // namespace

void CheckShape(const NetworkShape& shape) {
  const int64_t weight = CheckedProduct(shape.inputs, shape.hidden, "inputs × hidden units");
  CheckedProduct(weight, 64, "the network's parameters");
  if (shape.inputs < 1 || shape.hidden < 1) {
    throw Error(ErrorKind::kUsage, "a network needs at least one input and one hidden unit");
  }
}

template <class T>
void InitialiseParameters(const NetworkShape& shape, uint64_t seed, std::span<T> flat) {
  const KeyedRandom random(seed, RandomPurpose::kInitialWeights);
  const double range = std::sqrt(6.0 / static_cast<double>(shape.inputs + shape.hidden + 1));
  const Parameters<T> parameters = ViewParameters(shape, flat);
  const auto weight = static_cast<uint64_t>(shape.inputs * shape.hidden);
  FillUniform(random, 0, range, parameters.encoder_weight.flat());
  FillUniform(random, weight, range, parameters.decoder_weight.flat());
  std::ranges::fill(parameters.encoder_bias, T(0));
  std::ranges::fill(parameters.decoder_bias, T(0));
}

template void InitialiseParameters(const NetworkShape&, uint64_t, std::span<float>);
template void InitialiseParameters(const NetworkShape&, uint64_t, std::span<double>);

}  // namespace rhohat
