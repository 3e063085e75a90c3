#include "train/sample_sizes.h"

#include <algorithm>
#include <bit>

namespace rhohat {
namespace {

// A code of h units can reproduce h rows whatever they are. With a few rows for each unit, units
// have to stand for what rows have in common.
constexpr int64_t kRowsPerUnit = 4;
constexpr int64_t kLeastRows = 512;

int64_t FirstSample(const OptimizerOptions& options, const NetworkShape& shape) {
  if (options.first_sample > 0) return options.first_sample;
  const int64_t widest = *std::ranges::max_element(shape.hidden);
  return std::max(kLeastRows, kRowsPerUnit * widest);
}

}  // namespace

std::vector<int64_t> SampleSizes(const OptimizerOptions& options, const NetworkShape& shape,
                                 int64_t rows) {
  int64_t most = rows / 2;
  if (options.sample_limit > 0) most = std::min(most, options.sample_limit);
  std::vector<int64_t> sizes;
  int64_t size = FirstSample(options, shape);
  // As many rows again are held beside the first sample.
  if (options.sample_limit > 0 && size > options.sample_limit / 2) return sizes;
  while (size <= most) {
    sizes.push_back(size);
    const double next = static_cast<double>(size) * options.growth;
    if (!(next <= static_cast<double>(most))) break;
    size = std::max(size + 1, static_cast<int64_t>(next));
  }
  return sizes;
}

int64_t RowsHeldFor(const std::vector<int64_t>& sizes) {
  return sizes.empty() ? 0 : std::max(sizes.back(), 2 * sizes.front());
}

int64_t SampleBlockRows(int64_t sample_rows, int64_t lanes, int64_t block_rows) {
  constexpr int64_t kLeast = 64;
  const int64_t in_lane = std::max<int64_t>(1, (sample_rows + lanes - 1) / lanes);
  const auto rows = static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(in_lane)));
  return std::min(std::max(kLeast, rows), block_rows);
}

void SampleGap::Grow(int64_t rows, double cost, int64_t more_rows, double new_cost) {
  // J over all the rows that were added is new_cost + what the sample itself pulls it down.
  const double part = static_cast<double>(rows) / static_cast<double>(more_rows);
  Measure(cost, cost + (new_cost - cost) / (1 - part));
  gap_ *= part;
}

}  // namespace rhohat
