// What one evaluation of J and its gradient has to do for each row under a schedule
// (docs/math.md §3): matrix products, readings, and numbers moved through memory. Ceilings are
// rates of the machine over these.
#pragma once

#include <cstdint>
#include <vector>

#include "network/parameters.h"
#include "rhohat/bench.h"
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
  int64_t passes = 1;  // over the rows, wherever they come from
  std::vector<BlockProduct> products;
};

// `has_mean_slope`: some penalty makes every row's gradient depend on ρ̂. Without one all schedules
// are one pass. kCached is counted with all codes kept.
EvaluationWork WorkOf(const NetworkShape& shape, Schedule schedule, bool has_mean_slope);

// Operations of one row: two for each multiplication and addition.
double FlopsPerRow(const NetworkShape& shape, const std::vector<BlockProduct>& products);

// Bytes of one row: the row itself once a pass, and what each product leaves for the next, written
// once and read once. Sums over rows are left out, as they are shared by all rows of a block.
double BytesPerRow(const NetworkShape& shape, const EvaluationWork& work, int64_t element_bytes);

}  // namespace rhohat
