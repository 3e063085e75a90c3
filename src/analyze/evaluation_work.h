// What one evaluation of J and its gradient has to do for each row under a schedule
// (docs/math.md §3): matrix products, readings, and numbers moved through memory. Ceilings are
// rates of the machine over these.
#pragma once

#include <cstdint>
#include <vector>

#include "network/parameters.h"
#include "rhohat/options.h"

namespace rhohat {

// A product of a block of B rows. Layer l turns level l into level l + 1.
struct BlockProduct {
  enum Kind {
    kForward,         // B×width(l) by the weight: B×width(l + 1)
    kBack,            // B×width(l + 1) by the weight: B×width(l)
    kWeightGradient,  // both levels' rows: added to width(l + 1)×width(l)
  };
  Kind kind = kForward;
  int64_t layer = 0;
};

struct EvaluationWork {
  int64_t passes = 1;                  // over the rows, wherever they come from
  std::vector<BlockProduct> products;  // of one block
  double flops_per_row = 0;            // two for each multiplication and addition
  double values_per_row = 0;           // moved, see BytesPerRow()
};

// `has_mean_slope`: some penalty makes every row's gradient depend on ρ̂. Without one all schedules
// are one pass. `codes_kept` is the share of rows whose codes kCached keeps from pass to pass: the
// others' products are counted in full, and `products` are those of most rows.
EvaluationWork WorkOf(const NetworkShape& shape, Schedule schedule, bool has_mean_slope,
                      double codes_kept = 0);

// Operations of one row in such products.
double FlopsPerRow(const NetworkShape& shape, const std::vector<BlockProduct>& products);

// Bytes of one row: the row itself once a pass, and what each product leaves for the next, written
// once and read once. Sums over rows are left out, as they are shared by all rows of a block.
inline double BytesPerRow(const EvaluationWork& work, int64_t element_bytes) {
  return work.values_per_row * static_cast<double>(element_bytes);
}

}  // namespace rhohat
