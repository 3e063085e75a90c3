#include "analyze/evaluation_work.h"

#include <algorithm>

#include "rhohat/bench.h"

namespace rhohat {
namespace {

// How a schedule differs from plain forwards and backwards.
struct Pattern {
  int64_t passes = 1;
  int64_t encoder_products = 1;  // times that a row goes through the encoder
  int64_t first_gradients = 1;   // products for the gradient of the first layer
};

Pattern PatternOf(Schedule schedule, bool has_mean_slope, bool codes_kept) {
  if (!has_mean_slope) return {};
  switch (schedule) {
    case Schedule::kFused:
      return {.first_gradients = 2};
    case Schedule::kCached:
      return {.passes = 2, .encoder_products = codes_kept ? 1 : 2};
    case Schedule::kAuto:
    case Schedule::kTwoPass:
      break;
  }
  return {.passes = 2, .encoder_products = 2};
}

std::vector<BlockProduct> ProductsOf(const NetworkShape& shape, const Pattern& pattern) {
  std::vector<BlockProduct> products;
  const auto add = [&](BlockProduct::Kind kind, int64_t layer) {
    products.push_back({kind, layer});
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
  return products;
}

// The row itself once a pass, and what each product leaves for the next, written and read.
double ValuesPerRow(const NetworkShape& shape, int64_t passes,
                    const std::vector<BlockProduct>& products) {
  auto values = static_cast<double>(passes * shape.inputs);
  for (const auto& [kind, layer] : products) {
    if (kind == BlockProduct::kWeightGradient) continue;
    values +=
        2.0 * static_cast<double>(shape.width(kind == BlockProduct::kForward ? layer + 1 : layer));
  }
  return values;
}

}  // namespace

EvaluationWork WorkOf(const NetworkShape& shape, Schedule schedule, bool has_mean_slope,
                      double codes_kept) {
  EvaluationWork work;
  for (const bool kept : {false, true}) {
    const Pattern pattern = PatternOf(schedule, has_mean_slope, kept);
    const double share = kept ? codes_kept : 1 - codes_kept;
    const std::vector<BlockProduct> products = ProductsOf(shape, pattern);
    work.passes = pattern.passes;
    work.flops_per_row += share * FlopsPerRow(shape, products);
    work.values_per_row += share * ValuesPerRow(shape, pattern.passes, products);
    if (share >= 0.5) work.products = products;
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

double Ceilings::smallest() const { return std::min({products, reading, memory}); }

// Where two are equal, what more can be done about comes first.
const char* Ceilings::binding() const {
  if (reading <= products && reading <= memory) return "reading";
  return memory < products ? "memory" : "products";
}

}  // namespace rhohat
