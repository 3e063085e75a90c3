// The samples of the progressive method, and when one of them is used up (docs/math.md §7).
#pragma once

#include <cstdint>
#include <vector>

#include "base/state.h"
#include "network/parameters.h"
#include "rhohat/options.h"

namespace rhohat {

// Rows of each sample, smallest first, for a data set of so many rows: the first as large as asked
// for or as the network wants it, each next one larger by --growth. None is larger than half of the
// data, or than options.sample_limit where that is not 0: all rows come next. None at all where
// there are not twice the rows of the first sample, for what it leaves out is needed to judge it.
std::vector<int64_t> SampleSizes(const OptimizerOptions& options, const NetworkShape& shape,
                                 int64_t rows);

// Rows that are held for samples of these sizes: the largest, and at least twice the smallest.
int64_t RowsHeldFor(const std::vector<int64_t>& sizes);

// Rows of a block of such a sample: a block for each lane, so that many threads have work, as far
// as products of so few rows are worth it. At most `block_rows`.
int64_t SampleBlockRows(int64_t sample_rows, int64_t lanes, int64_t block_rows);

// When a sample has said what it has to say.
//
// What is lost by minimising over k rows in place of all is the gap between J over all rows and J
// over the sample at the point that is reached; it falls as 1/k. While ten iterations gain more
// than a small part of the gap, what they gain is common to all rows, and nowhere to be had
// cheaper. Once they gain less, more iterations only fit the sample better.
class SampleGap {
 public:
  double gap() const { return gap_; }

  // J over rows that are not in the sample, at the point where it is `cost` over the sample.
  void Measure(double cost, double unseen_cost) {
    gap_ = unseen_cost > cost ? unseen_cost - cost : 0;
  }

  // The sample has grown from `rows` to `more_rows`, and J from `cost` to `new_cost` at the same
  // point: what the next gap will be follows.
  void Grow(int64_t rows, double cost, int64_t more_rows, double new_cost);

  void Visit(State& state) { state.Number("gap", gap_); }

  // Whether a sample is used up where ten iterations have gained so much. The last sample is
  // sooner, since what comes after it is J itself.
  bool IsUsedUp(double decrease, bool is_last) const {
    return decrease < (is_last ? kPartOfLast : kPart) * gap_;
  }

 private:
  static constexpr double kPart = 0.05;
  static constexpr double kPartOfLast = 0.1;

  double gap_ = 0;
};

}  // namespace rhohat
