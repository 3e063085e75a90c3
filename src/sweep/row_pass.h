// One ordered, parallel, memory-bounded pass over the rows: the heart, and the one place where
// concurrency lives.
//
// The rows are cut into blocks by their global number alone: block k is rows [kB, (k+1)B), whatever
// the files, chunks and threads. Block k belongs to lane k mod L. Reading threads fetch blocks in
// ascending order into a bounded number of slots; compute threads unpack what came compressed, and
// take the blocks lane by lane, so that a lane sees its blocks in ascending order and one at a
// time. What a lane adds up therefore depends on the data and on B and L only.
//
//   reading threads                      compute threads (Executor)
//   Fetch → slot, Read ──▶ parcels ────▶ unpack ──▶ queue of lane k mod L ──▶ function
//     ▲                                                                          │
//     └──────────────────────────── slot is free ◀───────────────────────────────┘
//
// Rows are handed out as they are stored; Sweep (sweep.h) makes numbers of them. A block that a
// BlockCache has takes its turn like any other, but nothing of it is fetched, read or unpacked.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/state.h"
#include "data/row_source.h"
#include "sweep/block_cache.h"
#include "sweep/executor.h"

namespace rhohat {

// Lets a pass stand still at a block, so that what it has come to can be saved, and gone on with by
// another process.
class PassPauses {
 public:
  virtual ~PassPauses() = default;

  // Whether the pass is to come to a stand. Asked between blocks, on any of its threads.
  virtual bool Wanted() = 0;

  // The pass stands: the blocks up to one are computed, and none after it. Called by whoever called
  // the pass; what it throws ends the pass.
  virtual void Pause() = 0;
};

struct SweepOptions {
  int64_t block_rows = 1024;  // B
  int64_t lanes = 16;         // L, a power of two
  int64_t blocks_ahead = 4;   // slots: blocks being fetched, waiting or being computed
  uint64_t cache_bytes = 0;   // for rows that are kept from one pass of a Sweep to the next
  const std::atomic<bool>* stop = nullptr;  // once true, the pass ends with Stopped
  PassPauses* pauses = nullptr;             // may be null
};

// One block, its pieces complete. `worker` is in [0, threads) and belongs to one running block at a
// time: index scratch memory with it. `slot` is in [0, blocks_ahead) and belongs to one block at a
// time, from before it is computed until after it is written.
struct RawBlock {
  int64_t index = 0;
  int64_t lane = 0;
  int64_t worker = 0;
  int64_t slot = 0;
  const RawRows* rows = nullptr;  // the range alone, without pieces, where the block is kept
  bool is_kept = false;           // the cache has it
};

// What all passes so far have cost.
struct SweepCounts {
  int64_t rows = 0;         // handed to functions
  uint64_t bytes_read = 0;  // from storage, as stored
  double wait_seconds = 0;  // of a compute thread, on average, for want of data

  SweepCounts& operator+=(const SweepCounts& other) {
    rows += other.rows;
    bytes_read += other.bytes_read;
    wait_seconds += other.wait_seconds;
    return *this;
  }
};

class BlockQueue;

// One pass at a time.
class RowPass {
 public:
  using BlockFunction = std::function<void(const RawBlock&)>;
  using RowsDone = std::function<void(int64_t)>;

  // `source`, `executor` and `cache`, where there is one, must outlive the pass. Whoever is handed
  // the blocks fills the cache; a pass that fails empties it.
  RowPass(RowSource& source, Executor& executor, const SweepOptions& options,
          BlockCache* cache = nullptr);

  // Hands every block, once, to `function`, on many threads. Returns the number of lanes that had a
  // block. Throws what `function`, unpacking or reading threw for the lowest-numbered block, or
  // Stopped. After position() was loaded, the next run begins there.
  int64_t Run(const BlockFunction& function);

  // For results that are rows themselves: `compute` leaves a block's result in its slot, on many
  // threads; `write(range, slot)` then gets the slots in ascending order of blocks, one call at a
  // time.
  using WriteSlot = std::function<void(RowRange, int64_t slot)>;
  void RunOrdered(const BlockFunction& compute, const WriteSlot& write);

  // Called with the rows done in the pass so far, after each block, by one thread at a time.
  void set_rows_done(RowsDone callback) { rows_done_ = std::move(callback); }

  const RowSource& source() const { return source_; }
  const SweepOptions& options() const { return options_; }
  int64_t threads() const { return executor_.threads(); }
  const SweepCounts& counts() const { return counts_; }

  // Of a pass that stands: how many of the first blocks are done. Else 0.
  int64_t position() const { return position_; }
  void Visit(State& state);

  // For a pass whose blocks come from another one: see SweepGroup.
  void StandAt(int64_t position) { position_ = position; }
  void Count(const SweepCounts& counts) { counts_ += counts; }
  void TellRowsDone(int64_t rows) const {
    if (rows_done_) rows_done_(rows);
  }

 private:
  class Running;

  int64_t blocks() const;
  void RunToPause(const BlockFunction& function);
  void ReadInThreads(Running& running, int64_t readers);

  RowSource& source_;
  Executor& executor_;
  BlockCache* cache_;
  SweepOptions options_;
  std::vector<RawRows> slots_;
  RowsDone rows_done_;
  SweepCounts counts_;
  int64_t position_ = 0;
};

}  // namespace rhohat
