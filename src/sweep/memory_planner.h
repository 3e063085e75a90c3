// Adding up memory before it is allocated.
//
// Every operation that holds more than a few MiB states its parts here first. A budget that is too
// small is an error before any work is done, and names the least budget that works.
#pragma once

#include <cstdint>
#include <string>

#include "data/row_source.h"
#include "rhohat/memory_plan.h"
#include "sweep/resolved_resources.h"

namespace rhohat {

// What the process takes before it has allocated anything of note: code, libraries, stacks.
inline constexpr uint64_t kProcessBytes = uint64_t{48} << 20;

// Blocks that keep all threads busy while others are fetched and unpacked; and the least that
// works.
int64_t ComfortableBlocksAhead(const RowSource& source, int64_t block_rows, int64_t threads);
int64_t LeastBlocksAhead(int64_t threads);

// Starts with the process itself and what the source needs to read and unpack; add the operation's
// own items, then fit the blocks into what is left.
class MemoryPlanner {
 public:
  MemoryPlanner(const RowSource& source, const ResolvedResources& resources, int64_t block_rows);

  void Add(const std::string& name, uint64_t bytes, const std::string& note);

  // For each thread a block of rows as numbers of so many bytes, in each of so many sweeps.
  void AddDecoding(size_t element_bytes, int64_t sweeps = 1);

  // Address space, beside memory, that each thread reserves.
  void ReserveForEachThread(uint64_t bytes) { reserved_bytes_ += bytes; }

  // Address space of threads beside those that compute and read.
  void ReserveThreads(int64_t count) { other_threads_ += count; }

  // Whether the least number of blocks fits the budget: whoever can do with smaller blocks asks
  // before Finish().
  bool Fits(uint64_t bytes_per_block = 0) const;

  // Chooses blocks_ahead and completes the plan. Throws Error(kUsage), naming the least budget that
  // works and what dominates it, where the budget is too small. `bytes_per_block` is what the
  // operation itself holds for each block in hand, beside the rows as stored.
  MemoryPlan Finish(uint64_t bytes_per_block = 0);

  // After Finish(): what is left of the budget for caches. A margin stays free, since memory comes
  // in pages and heaps have gaps.
  uint64_t SpareBytes() const;

  // After Finish(): takes from what is left, which must be as much.
  void AddFromSpare(const std::string& name, uint64_t bytes, const std::string& note);

  // After Finish(), where rows are passed over again and again: plans to keep as many as fit into
  // `most_bytes` of what is left, each of which takes `row_bytes` (Sweep::KeptRowBytes), and
  // returns the plan anew. Where not all fit, blocks ahead grow too, so that reading goes on while
  // kept blocks are computed.
  MemoryPlan AddCache(uint64_t row_bytes, uint64_t most_bytes = UINT64_MAX);

 private:
  uint64_t AddressSpaceNeeded() const;
  std::string ReadAheadNote() const;
  void ReadFurtherAhead(int64_t blocks, uint64_t most_bytes);
  uint64_t ReadAheadBytes(int64_t blocks, uint64_t bytes_per_block) const;
  void CheckChunksFit(uint64_t bytes_without_chunks) const;
  void CheckAddressSpace() const;

  const RowSource& source_;
  uint64_t reserved_bytes_ = 0;
  int64_t other_threads_ = 4;
  uint64_t bytes_per_block_ = 0;
  MemoryPlan plan_;
};

}  // namespace rhohat
