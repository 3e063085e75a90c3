#include "sweep/block_queue.h"

#include <algorithm>

namespace rhohat {

BlockQueue::BlockQueue(int64_t lanes, int64_t slots, int64_t threads)
    : slots_(slots),
      threads_(threads),
      lanes_(static_cast<size_t>(lanes)),
      slot_busy_(static_cast<size_t>(slots), false) {}

// Adds the time since the last event that threads spent without a block, while there was still
// something to read.
void BlockQueue::CountWaiting() {
  const Clock::time_point now = Clock::now();
  const std::chrono::duration<double> passed = now - counted_until_;
  counted_until_ = now;
  if (reading_ && in_hand_ < threads_) {
    wait_seconds_ +=
        passed.count() * static_cast<double>(threads_ - in_hand_) / static_cast<double>(threads_);
  }
}

bool BlockQueue::WaitForSlot(int64_t block) {
  std::unique_lock lock(mutex_);
  const auto slot = static_cast<size_t>(block % slots_);
  slot_freed_.wait(lock, [&] { return !slot_busy_[slot] || failure_ != nullptr; });
  if (failure_ != nullptr) return false;
  slot_busy_[slot] = true;
  return true;
}

bool BlockQueue::Push(int64_t block) {
  const std::lock_guard lock(mutex_);
  CountWaiting();
  ++in_hand_;
  Lane& lane = lanes_[static_cast<size_t>(block) % lanes_.size()];
  lane.blocks.push_back(block);
  if (lane.running) return false;
  lane.running = true;
  ++running_tasks_;
  return true;
}

void BlockQueue::FinishReading() {
  const std::lock_guard lock(mutex_);
  CountWaiting();
  reading_ = false;
  ended_.notify_all();
}

std::optional<int64_t> BlockQueue::Pop(int64_t lane) {
  const std::lock_guard lock(mutex_);
  Lane& queue = lanes_[static_cast<size_t>(lane)];
  if (queue.blocks.empty()) {
    queue.running = false;
    --running_tasks_;
    ended_.notify_all();
    return std::nullopt;
  }
  const int64_t block = queue.blocks.front();
  queue.blocks.pop_front();
  return block;
}

void BlockQueue::Finish(int64_t block) {
  const std::lock_guard lock(mutex_);
  CountWaiting();
  --in_hand_;
  slot_busy_[static_cast<size_t>(block % slots_)] = false;
  slot_freed_.notify_all();
}

bool BlockQueue::IsDropped(int64_t block) {
  const std::lock_guard lock(mutex_);
  return block > failed_block_;
}

void BlockQueue::Fail(int64_t block, std::exception_ptr why) {
  const std::lock_guard lock(mutex_);
  if (block < failed_block_) {
    failed_block_ = block;
    failure_ = std::move(why);
  }
  slot_freed_.notify_all();
}

void BlockQueue::WaitForEnd() {
  std::unique_lock lock(mutex_);
  ended_.wait(lock, [&] { return !reading_ && running_tasks_ == 0 && in_hand_ == 0; });
  if (failure_ != nullptr) std::rethrow_exception(failure_);
}

}  // namespace rhohat
