// What the methods of a run take of its memory: their vectors, and the rows that they hold.
#pragma once

#include <cstdint>
#include <string>

#include "data/row_source.h"
#include "network/parameters.h"
#include "rhohat/options.h"
#include "sweep/memory_planner.h"

namespace rhohat {

// Adds the optimiser's vectors, the gradient, what mini-batches take at least, and the rows that
// are held because options say how many. Methods run one after another: the largest counts.
template <class T>
void AddMethods(const TrainOptions& options, const ComputeOptions& compute,
                const NetworkShape& shape, const RowSource& source, int64_t threads,
                MemoryPlanner& planner);

// Rows in memory while a method runs, out of what is left of the budget.
struct RowHolding {
  int64_t sample_rows = 0;  // of the largest sample of the progressive method
  int64_t mix_rows = 0;     // of stochastic methods: among which the order is mixed
  uint64_t bytes = 0;
  std::string note;
};

// As many as are wanted, or as `room` bytes allow. Those that options say are counted already.
template <class T>
RowHolding RowHoldingOf(const TrainOptions& options, const ComputeOptions& compute,
                        const RowSource& source, int64_t threads, uint64_t room);

}  // namespace rhohat
