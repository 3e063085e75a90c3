// Adding up memory before it is allocated.
//
// Every operation that holds more than a few MiB states its parts here first. A budget that is too
// small is an error before any work is done, and names the least budget that works.
#pragma once

#include <cstdint>
#include <string>

#include "data/row_source.h"
#include "rhohat/options.h"
#include "rhohat/train.h"

namespace rhohat {

// Compute threads and budget with every automatic choice made.
struct ResolvedResources {
  int64_t threads = 0;
  uint64_t memory_bytes = 0;
  std::string memory_source;  // "--memory", "half of this machine's 23 GiB"
};
ResolvedResources Resolve(const ResourceOptions& options);

// What the process takes before it has allocated anything of note: code, libraries, stacks.
inline constexpr uint64_t kProcessBytes = uint64_t{48} << 20;

// Starts with the process itself, the decoding buffers and the reader's caches; add the operation's
// own items, then fit the blocks into what is left.
class MemoryPlanner {
 public:
  MemoryPlanner(const RowSource& source, const ResolvedResources& resources, int64_t block_rows,
                size_t element_bytes);

  void Add(const std::string& name, uint64_t bytes, const std::string& note);

  // Chooses blocks_ahead and completes the plan. Throws Error(kUsage), naming the least budget that
  // works and what dominates it, where the budget is too small. `bytes_per_block` is what the
  // operation itself holds for each block in hand, beside the rows as stored.
  MemoryPlan Finish(uint64_t bytes_per_block = 0);

 private:
  const RowSource& source_;
  MemoryPlan plan_;
};

// The plan of a training run. `compute` is resolved.
MemoryPlan PlanTrainingMemory(const TrainOptions& options, const ComputeOptions& compute,
                              const RowSource& source);

}  // namespace rhohat
