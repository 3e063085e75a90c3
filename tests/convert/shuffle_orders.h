// The shuffled order by its definition, and statistics of orders.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include "convert/shuffle_plan.h"

namespace rhohat {

// numpy.argsort(keys).
inline std::vector<int64_t> SortedByKey(const ShuffleKeys& keys, int64_t rows) {
  std::vector<int64_t> order(static_cast<size_t>(rows));
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, {}, [&](int64_t row) { return keys.Key(row); });
  return order;
}

// Which permutation it is, from 0 to n! − 1.
inline size_t RankOf(const std::vector<int64_t>& order) {
  size_t rank = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    const auto smaller =
        std::count_if(order.begin() + static_cast<std::ptrdiff_t>(i) + 1, order.end(),
                      [&](int64_t later) { return later < order[i]; });
    rank = rank * (order.size() - i) + static_cast<size_t>(smaller);
  }
  return rank;
}

// Pearson's χ² of counts that should all be equal; its mean is counts.size() − 1.
inline double ChiSquare(const std::vector<int64_t>& counts) {
  const auto total = static_cast<double>(std::accumulate(counts.begin(), counts.end(), int64_t{0}));
  const double expected = total / static_cast<double>(counts.size());
  double sum = 0;
  for (const int64_t count : counts) {
    const double difference = static_cast<double>(count) - expected;
    sum += difference * difference / expected;
  }
  return sum;
}

}  // namespace rhohat
