// Who may do what when during one pass: the bookkeeping between the reading threads and the compute
// threads. Knows block numbers and parcels only, not rows.
//
// Slots are a ring: block k uses slot k mod W, and is fetched once block k−W is finished. So never
// more than W consecutive blocks are in hand, and a block can only run ahead of an unfinished one
// by less than W. A block is ready when its own bytes have arrived and its parcels are unpacked.
// Lanes are queues: a lane has one task at a time, which takes its next block where that is ready.
//
// Where a pass is to pause it ends early: blocks up to the last one begun are still computed, those
// after it are dropped.
//
// After a failure of block k, that block and those after it are dropped but those before it are
// still computed, so that the failure reported is that of the lowest-numbered failing block on
// every run.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "data/row_source.h"

namespace rhohat {

// All functions are thread-safe.
class BlockQueue {
 public:
  BlockQueue(int64_t lanes, int64_t slots, int64_t threads, int64_t readers);

  // Lanes whose next block has become ready, and which need a task to drain them.
  using Lanes = std::vector<int64_t>;

  // Reading threads. Waits until `block`'s slot is free; false where a failure, or an early end,
  // makes reading on pointless.
  bool WaitForSlot(int64_t block);
  // Reading threads, in ascending order of blocks: `block` will need its own bytes and `parcels`,
  // the last `new_parcels` of which are not known yet.
  void Announce(int64_t block, std::span<const std::shared_ptr<Parcel>> parcels,
                size_t new_parcels);
  // Reading threads: a task will unpack one more parcel.
  void StartUnpacking();
  // Reading threads: the block's own bytes are there.
  Lanes Arrived(int64_t block);
  // Each reading thread, at its end.
  void FinishReading();

  // An unpacking task, at its end. Lets go of the parcel before any block can be finished that
  // needs it, so that a task which is still leaving holds none.
  Lanes FinishUnpacking(std::shared_ptr<Parcel> parcel);

  // Any thread: nothing more will be fetched, and of what was, only the first `least` blocks are
  // computed, or those up to the last one begun if that is more. The first call counts.
  void EndEarly(int64_t least);
  // Where it ended early: how many of the first blocks that makes.
  std::optional<int64_t> early_end();
  // Where a lane's task cannot be started: counts as a failure before all blocks, and the lane
  // stands.
  void Abandon(int64_t lane, std::exception_ptr why);

  // A lane's task. The next block to compute, or nothing where the task should end.
  std::optional<int64_t> Pop(int64_t lane);
  // A lane's task, after each block it popped, computed or not.
  void Finish(int64_t block);
  // Whether `block` is not to be computed: it failed, or comes after one that did, or after an
  // early end.
  bool IsDropped(int64_t block);

  // Any thread: `block` cannot be read or computed. Of several failures that of the lowest-numbered
  // block counts, and of those of one block the one of its lowest-numbered `part`: its parcels in
  // order, then all else.
  static constexpr int64_t kWhole = std::numeric_limits<int64_t>::max();
  void Fail(int64_t block, std::exception_ptr why, int64_t part = kWhole);

  // Caller of the pass: waits until nothing is running any more, then throws what failed, if
  // anything did.
  void WaitForEnd();

  double wait_seconds() const { return wait_seconds_; }

 private:
  struct Slot {
    bool busy = false;
    int64_t missing = 0;  // own bytes and parcels
  };
  struct Lane {
    std::deque<int64_t> blocks;
    bool running = false;
  };
  using Clock = std::chrono::steady_clock;

  Slot& SlotOf(int64_t block) { return slots_[static_cast<size_t>(block) % slots_.size()]; }
  void CountWaiting();
  void NoLongerMissing(int64_t block, Lanes& runnable);
  void NoteFailure(int64_t block, std::exception_ptr why, int64_t part);

  const int64_t threads_;
  std::mutex mutex_;  // guards everything below
  std::condition_variable slot_freed_;
  std::condition_variable ended_;
  std::vector<Lane> lanes_;
  std::vector<Slot> slots_;
  std::map<const Parcel*, std::vector<int64_t>> waiting_for_;  // parcels not unpacked: blocks
  int64_t readers_;
  int64_t ready_ = 0;  // blocks ready and not finished
  int64_t unpacking_ = 0;
  int64_t running_tasks_ = 0;
  int64_t begun_ = 0;           // one past the last block that a lane's task has taken
  std::optional<int64_t> end_;  // where it ends early
  int64_t failed_block_ = std::numeric_limits<int64_t>::max();
  int64_t failed_part_ = 0;
  std::exception_ptr failure_;
  double wait_seconds_ = 0;
  Clock::time_point counted_until_ = Clock::now();
};

}  // namespace rhohat
