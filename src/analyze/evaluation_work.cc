#include "analyze/evaluation_work.h"

#include <algorithm>

namespace rhohat {
namespace {

// How a schedule differs from plain forwards and backwards.
struct Pattern {
  int64_t passes;
  int64_t encoder_products;  // times that a row goes through the encoder
  int64_t first_gradients;   // products for the gradient of the first layer
};

Pattern PatternOf(Schedule schedule, bool has_mean_slope) {
  if (!has_mean_slope) return {1, 1, 1};
  switch (schedule) {
    case Schedule::kAuto:
    case Schedule::kTwoPass:
      break;
  }
  return {2, 2, 1};
}

}  // namespace

EvaluationWork WorkOf(const NetworkShape& shape, Schedule schedule, bool has_mean_slope) {
  const Pattern pattern = PatternOf(schedule, has_mean_slope);
  EvaluationWork work{.passes = pattern.passes, .products = {}};
  const auto add = [&](BlockProduct::Kind kind, int64_t layer) {
    work.products.push_back({kind, layer});
  };
  for (int64_t time = 1; time < pattern.encoder_products; ++time) {
    for (int64_t layer = 0; layer < shape.depth(); ++layer) add(BlockProduct::kForward, layer);
  }
  for (int64_t layer = 0; layer < shape.layers(); ++layer) add(BlockProduct::kForward, layer);
  for (int64_t layer = shape.layers() - 1; layer > 0; --layer) {
    add(BlockProduct::kWeightGradient, layer);
    add(BlockProduct::kBack, layer);
  }
  for (int64_t time = 0; time < pattern.first_gradients; ++time) {
    add(BlockProduct::kWeightGradient, 0);
  }
  return work;
}

double FlopsPerRow(const NetworkShape& shape, const std::vector<BlockProduct>& products) {
  double flops = 0;
  for (const BlockProduct& product : products) {
    flops += 2.0 * static_cast<double>(shape.width(product.layer)) *
             static_cast<double>(shape.width(product.layer + 1));
  }
  return flops;
}

double BytesPerRow(const NetworkShape& shape, const EvaluationWork& work, int64_t element_bytes) {
  auto values = static_cast<double>(work.passes * shape.inputs);
  for (const BlockProduct& product : work.products) {
    if (product.kind == BlockProduct::kWeightGradient) continue;
    const int64_t level =
        product.kind == BlockProduct::kForward ? product.layer + 1 : product.layer;
    values += 2.0 * static_cast<double>(shape.width(level));
  }
  return values * static_cast<double>(element_bytes);
}

double Ceilings::smallest() const { return std::min({products, reading, memory}); }

// Where two are equal, what more can be done about comes first.
const char* Ceilings::binding() const {
  if (reading <= products && reading <= memory) return "reading";
  return memory < products ? "memory" : "products";
}

}  // namespace rhohat
