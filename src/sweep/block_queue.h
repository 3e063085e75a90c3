// Who may do what when during one pass: the bookkeeping between the reading thread and the compute
// threads. Knows block numbers only, not rows.
//
// Slots are a ring: block k uses slot k mod W, and is fetched once block k−W is finished. So never
// more than W consecutive blocks are in hand, and a block can only run ahead of an unfinished one
// by less than W. Lanes are queues: a lane is drained by one task at a time, in ascending order.
//
// After a failure of block k, blocks after k are dropped but those before it are still computed, so
// that the failure reported is that of the lowest-numbered failing block on every run.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <limits>
#include <mutex>
#include <optional>
#include <vector>

namespace rhohat {

// All functions are thread-safe.
class BlockQueue {
 public:
  BlockQueue(int64_t lanes, int64_t slots, int64_t threads);

  // Reading thread. Waits until `block`'s slot is free; false where a failure makes reading on
  // pointless.
  bool WaitForSlot(int64_t block);
  // Reading thread. Returns whether the lane needs a task to drain it.
  bool Push(int64_t block);
  // Reading thread, at the end.
  void FinishReading();

  // A lane's task. The next block to compute, or nothing where the task should end.
  std::optional<int64_t> Pop(int64_t lane);
  // A lane's task, after each block it popped, computed or not.
  void Finish(int64_t block);
  // Whether `block` comes after a failed one and need not be computed.
  bool IsDropped(int64_t block);

  // Any thread: `block` cannot be read or computed.
  void Fail(int64_t block, std::exception_ptr why);

  // Caller of the pass: waits until nothing is running any more, then throws what failed, if
  // anything did.
  void WaitForEnd();

  double wait_seconds() const { return wait_seconds_; }

 private:
  struct Lane {
    std::deque<int64_t> blocks;
    bool running = false;
  };
  using Clock = std::chrono::steady_clock;

  void CountWaiting();

  const int64_t slots_;
  const int64_t threads_;
  std::mutex mutex_;
  std::condition_variable slot_freed_;
  std::condition_variable ended_;
  std::vector<Lane> lanes_;
  std::vector<bool> slot_busy_;
  int64_t in_hand_ = 0;  // pushed and not finished
  int64_t running_tasks_ = 0;
  bool reading_ = true;
  int64_t failed_block_ = std::numeric_limits<int64_t>::max();
  std::exception_ptr failure_;
  double wait_seconds_ = 0;
  Clock::time_point counted_until_ = Clock::now();
};

}  // namespace rhohat
