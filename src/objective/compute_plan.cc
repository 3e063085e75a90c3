#include "objective/compute_plan.h"

#include <algorithm>
#include <bit>

#include "base/units.h"
#include "network/forward_parameters.h"

namespace rhohat {
namespace {

// Products are efficient from a few hundred rows on; beyond a few MiB a block leaves the cache.
int64_t BlockRows(const NetworkShape& shape) {
  constexpr int64_t kValues = int64_t{1} << 20;
  constexpr int64_t kLeast = 128;
  constexpr int64_t kMost = 4096;
  const int64_t widest = shape.widest();
  const auto rows = static_cast<uint64_t>(std::max<int64_t>(1, kValues / widest));
  return std::clamp(static_cast<int64_t>(std::bit_floor(rows)), kLeast, kMost);
}

int64_t Lanes(const NetworkShape& shape) {
  constexpr int64_t kMost = 16;
  constexpr int64_t kLeast = 4;
  constexpr int64_t kValues = int64_t{1} << 28;  // in all lanes together: 1 GiB of float32
  int64_t lanes = kMost;
  while (lanes > kLeast && lanes * shape.parameters() > kValues) lanes /= 2;
  return lanes;
}

// Whatever is allocated for a block is a few times its values on all levels of the network.
void CheckBlock(int64_t block_rows, const NetworkShape& shape) {
  constexpr int64_t kBytesEach = 64;
  const int64_t width = shape.inputs + shape.biases();
  CheckedProduct(CheckedProduct(block_rows, width, "a block of rows"), kBytesEach,
                 "a block of rows");
}

}  // namespace

ComputeOptions ResolveCompute(const ComputeOptions& options, const NetworkShape& shape) {
  CheckShape(shape);
  ComputeOptions resolved = options;
  if (resolved.block_rows == 0) resolved.block_rows = BlockRows(shape);
  if (resolved.lanes == 0) resolved.lanes = Lanes(shape);
  CheckBlock(resolved.block_rows, shape);
  return resolved;
}

// A wide layer's sums leave the second-level cache, and are read and written once a tile: more rows
// make up for it.
int64_t TileRows(const NetworkShape& shape) {
  constexpr int64_t kWide = int64_t{1} << 18;
  constexpr int64_t kLarge = 256;
  constexpr int64_t kMost = 512;
  constexpr int64_t kSmallProduct = int64_t{1000} * 1000;  // multiplications
  int64_t largest = 1;
  for (int64_t layer = 0; layer < shape.layers(); ++layer) {
    largest = std::max(largest, shape.width(layer) * shape.width(layer + 1));
  }
  if (largest > kMostSmallWeights) return largest > kWide ? kMost : kLarge;
  const auto rows = static_cast<uint64_t>(kSmallProduct / largest);
  return std::min(static_cast<int64_t>(std::bit_floor(rows)), kMost);
}

int64_t PassesOf(const ObjectiveOptions& options) {
  return std::ranges::any_of(options.beta, [](double beta) { return beta != 0; }) ? 2 : 1;
}

double FlopsPerRow(const NetworkShape& shape, int64_t passes) {
  double flops = 0;
  for (int64_t layer = 0; layer < shape.layers(); ++layer) {
    const double product =
        2.0 * static_cast<double>(shape.width(layer)) * static_cast<double>(shape.width(layer + 1));
    // Forwards, the weight's gradient, and back to the layer before, which the input does not need.
    double products = layer > 0 ? 3 : 2;
    if (layer < shape.depth()) products += static_cast<double>(passes - 1);
    flops += products * product;
  }
  return flops;
}

}  // namespace rhohat
