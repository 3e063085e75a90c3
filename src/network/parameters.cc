#include "network/parameters.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "base/keyed_random.h"
#include "rhohat/error.h"

namespace rhohat {

int64_t NetworkShape::width(int64_t level) const {
  const int64_t from_end = std::min(level, layers() - level);
  return from_end == 0 ? inputs : hidden[static_cast<size_t>(from_end - 1)];
}

int64_t NetworkShape::widest() const { return std::max(inputs, std::ranges::max(hidden)); }

std::string NetworkShape::Text() const {
  std::string text = fmt::format("{}", inputs);
  for (int64_t level = 1; level <= layers(); ++level) text += fmt::format("–{}", width(level));
  return text;
}

int64_t NetworkShape::weights() const {
  int64_t sum = 0;
  for (int64_t layer = 0; layer < depth(); ++layer) sum += width(layer) * width(layer + 1);
  return tied ? sum : 2 * sum;
}

int64_t NetworkShape::biases() const { return 2 * encoder_units() - code() + inputs; }

int64_t NetworkShape::parameters() const { return weights() + biases(); }

int64_t NetworkShape::encoder_units() const { return encoder_offset(depth()); }

int64_t NetworkShape::encoder_offset(int64_t layer) const {
  int64_t sum = 0;
  for (int64_t below = 0; below < layer; ++below) sum += hidden[static_cast<size_t>(below)];
  return sum;
}

template <class T>
Parameters<T> ViewParameters(const NetworkShape& shape, std::span<T> flat) {
  Parameters<T> view;
  T* next = flat.data();
  for (int64_t layer = 0; layer < shape.layers(); ++layer) {
    const int64_t inputs = shape.width(layer);
    const int64_t outputs = shape.width(layer + 1);
    LayerParameters<T>& part = view.layers.emplace_back();
    part.transposed = shape.is_transposed(layer);
    if (part.transposed) {
      part.weight = view[shape.mirror(layer)].weight;
    } else {
      part.weight = {next, outputs, inputs};
      next += outputs * inputs;
    }
    part.bias = {next, static_cast<size_t>(outputs)};
    next += outputs;
  }
  return view;
}

std::vector<TensorPlace> TensorsOf(const NetworkShape& shape) {
  std::vector<TensorPlace> places;
  size_t offset = 0;
  const auto add = [&](const std::string& name, std::vector<int64_t> extents) {
    size_t size = 1;
    for (const int64_t extent : extents) size *= static_cast<size_t>(extent);
    places.push_back({name, std::move(extents), offset, size});
    offset += size;
  };
  const int64_t depth = shape.depth();
  for (int64_t layer = 0; layer < shape.layers(); ++layer) {
    std::string prefix = layer < depth ? "encoder." : "decoder.";
    if (depth > 1) prefix += fmt::format("{}.", layer % depth);
    const int64_t outputs = shape.width(layer + 1);
    if (!shape.is_transposed(layer)) add(prefix + "weight", {outputs, shape.width(layer)});
    add(prefix + "bias", {outputs});
  }
  return places;
}

void CheckShape(const NetworkShape& shape) {
  if (shape.inputs < 1 || shape.hidden.empty() || std::ranges::min(shape.hidden) < 1) {
    throw Error(ErrorKind::kUsage, "a network needs at least one input and one hidden unit");
  }
  // With a margin, so that bytes of several copies can be counted too.
  int64_t total = 0;
  for (int64_t layer = 0; layer < shape.depth(); ++layer) {
    int64_t weight = 0;
    if (__builtin_mul_overflow(shape.width(layer), shape.width(layer + 1), &weight) ||
        __builtin_mul_overflow(weight, int64_t{64}, &weight) ||
        __builtin_add_overflow(total, weight, &total)) {
      throw Error(ErrorKind::kUsage, "the network's parameters are too many to count");
    }
  }
}

template <class T>
void InitialiseParameters(const NetworkShape& shape, uint64_t seed, std::span<T> flat) {
  const KeyedRandom random(seed, RandomPurpose::kInitialWeights);
  const Parameters<T> parameters = ViewParameters(shape, flat);
  uint64_t index = 0;
  for (int64_t layer = 0; layer < shape.layers(); ++layer) {
    std::ranges::fill(parameters[layer].bias, T(0));
    if (shape.is_transposed(layer)) continue;
    const double range =
        std::sqrt(6.0 / static_cast<double>(shape.width(layer) + shape.width(layer + 1) + 1));
    for (T& weight : parameters[layer].weight.flat()) {
      weight = static_cast<T>((2 * random.Uniform(index++) - 1) * range);
    }
  }
}

template Parameters<float> ViewParameters(const NetworkShape&, std::span<float>);
template Parameters<const float> ViewParameters(const NetworkShape&, std::span<const float>);
template Parameters<double> ViewParameters(const NetworkShape&, std::span<double>);
template Parameters<const double> ViewParameters(const NetworkShape&, std::span<const double>);
template void InitialiseParameters(const NetworkShape&, uint64_t, std::span<float>);
template void InitialiseParameters(const NetworkShape&, uint64_t, std::span<double>);

}  // namespace rhohat
