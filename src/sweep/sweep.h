// One ordered, parallel, memory-bounded pass over the rows: the heart, and the one place where
// concurrency lives.
//
// The rows are cut into blocks by their global number alone: block k is rows [kB, (k+1)B), whatever
// the files, chunks and threads. Block k belongs to lane k mod L. A reading thread fetches blocks
// in ascending order into a bounded number of slots; compute threads take them lane by lane, so
// that a lane sees its blocks in ascending order and one at a time. What a lane adds up therefore
// depends on the data and on B and L only, and adding the lanes in a fixed tree gives the same bits
// on any number of threads (docs/math.md §10).
//
//   reading thread           compute threads (Executor)                 caller
//   Fetch → slot ─▶ queue of lane k mod L ─▶ decode → function ─▶ lanes ─▶ tree ─▶ result
//     ▲                                          │
//     └────────────── slot is free ◀─────────────┘
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/aligned_buffer.h"
#include "data/row_source.h"
#include "sweep/executor.h"

namespace rhohat {

struct SweepOptions {
  int64_t block_rows = 1024;  // B
  int64_t lanes = 16;         // L, a power of two
  int64_t blocks_ahead = 4;   // slots: blocks being fetched, waiting or being computed
  const std::atomic<bool>* stop = nullptr;  // once true, the pass ends with Stopped
};

// Rows of one block, decoded. `worker` is in [0, threads) and belongs to one running block at a
// time: index scratch memory with it.
template <class T>
struct Block {
  int64_t index = 0;
  RowRange range;
  std::span<const T> rows;  // range.size() × columns, row-major
  int64_t worker = 0;
};

// What all passes so far have cost.
struct SweepCounts {
  int64_t rows = 0;         // handed to functions
  uint64_t bytes_read = 0;  // fetched, as stored
  double wait_seconds = 0;  // of a compute thread, on average, for want of data
};

// One pass at a time. T is float or double, the type that rows are decoded to.
template <class T>
class Sweep {
 public:
  using BlockFunction = std::function<void(const Block<T>&, int64_t lane)>;
  using RowsDone = std::function<void(int64_t)>;

  // `source` and `executor` must outlive the sweep. All buffers are allocated here.
  Sweep(RowSource& source, Executor& executor, const SweepOptions& options);

  // Hands every block of rows, once, to `function(block, sums)`, where `sums` is the block's
  // lane's, cleared before the lane's first block. Returns the lanes' sum, which is in lanes[0].
  // Sums has Clear() and Add(const Sums&). `lanes.size()` must be L.
  template <class Sums, class Function>
  Sums& Run(std::span<Sums> lanes, const Function& function) {
    const int64_t used = RunBlocks([&](const Block<T>& block, int64_t lane) {
      Sums& sums = lanes[static_cast<size_t>(lane)];
      if (block.index == lane) sums.Clear();
      function(block, sums);
    });
    CombineLanes(used, [&](int64_t into, int64_t from) {
      lanes[static_cast<size_t>(into)].Add(lanes[static_cast<size_t>(from)]);
    });
    return lanes[0];
  }

  // For results that are rows themselves: `compute(block, out)` fills `out` with
  // `output_columns` values a row, on many threads; `write(range, out)` then gets them in
  // ascending order, one call at a time.
  // Holds blocks_ahead × B × output_columns values while it runs.
  using ComputeRows = std::function<void(const Block<T>&, std::span<T> out)>;
  using WriteRows = std::function<void(RowRange, std::span<const T>)>;
  void RunOrdered(int64_t output_columns, const ComputeRows& compute, const WriteRows& write);

  // Called with the rows done in the pass so far, after each block, by one thread at a time.
  void set_rows_done(RowsDone callback) { rows_done_ = std::move(callback); }

  int64_t rows() const { return source_.rows(); }
  int64_t columns() const { return source_.columns(); }
  int64_t lanes() const { return options_.lanes; }
  int64_t block_rows() const { return options_.block_rows; }
  int64_t threads() const { return executor_.threads(); }
  const SweepCounts& counts() const { return counts_; }

 private:
  void Compute(const BlockFunction& function, RawRows& raw, int64_t index, int64_t worker);

  // Returns the number of lanes that had a block. Throws what `function`, decoding or reading threw
  // for the lowest-numbered block, or Stopped.
  int64_t RunBlocks(const BlockFunction& function);
  // Adds lanes pairwise at distance 1, 2, 4, …: a tree of one shape for a number of lanes.
  void CombineLanes(int64_t used, const std::function<void(int64_t into, int64_t from)>& add);

  RowSource& source_;
  Executor& executor_;
  SweepOptions options_;
  std::vector<RawRows> slots_;
  std::vector<AlignedBuffer<T>> decoded_;  // one a worker
  RowsDone rows_done_;
  SweepCounts counts_;
};

}  // namespace rhohat
