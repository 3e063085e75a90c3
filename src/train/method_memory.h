// What the methods of a run take of its memory: their vectors, and the rows that they hold.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "data/row_source.h"
#include "network/parameters.h"
#include "rhohat/memory_plan.h"
#include "rhohat/options.h"
#include "sweep/memory_planner.h"

namespace rhohat {

// What one model takes, for a plan of several.
struct ModelItems {
  std::vector<MemoryPlan::Item> items;

  void Add(std::string name, uint64_t bytes, std::string note) {
    items.push_back({std::move(name), bytes, std::move(note)});
  }
};

// Adds the optimiser's vectors, the gradient, and what mini-batches take at least. Methods run one
// after another: the largest counts.
template <class T>
void AddMethods(const TrainOptions& options, const NetworkShape& shape, const RowSource& source,
                int64_t threads, ModelItems& items);

// Adds the samples that are held because an option says how many rows, once for all models; each
// has codes and workspace of its own for them.
template <class T>
void AddLimitedSamples(std::span<const TrainOptions> models, const ComputeOptions& compute,
                       const RowSource& source, int64_t threads, MemoryPlanner& planner);

// Rows in memory while a method runs, out of what is left of the budget.
struct RowHolding {
  int64_t sample_rows = 0;  // of the largest sample of the progressive method
  int64_t mix_rows = 0;     // of stochastic methods: among which the order is mixed
  uint64_t bytes = 0;
  std::string note;
};

// As many as are wanted, or as `room` bytes allow. Those that options say are counted already.
template <class T>
RowHolding RowHoldingOf(std::span<const TrainOptions> models, const ComputeOptions& compute,
                        const RowSource& source, int64_t threads, uint64_t room);

}  // namespace rhohat
