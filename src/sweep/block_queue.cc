#include "sweep/block_queue.h"

#include <algorithm>

namespace rhohat {

BlockQueue::BlockQueue(int64_t lanes, int64_t slots, int64_t threads, int64_t readers)
    : threads_(threads),
      lanes_(static_cast<size_t>(lanes)),
      slots_(static_cast<size_t>(slots)),
      readers_(readers) {}

// Adds the time since the last event that threads spent without work, while there was still
// something to read.
void BlockQueue::CountWaiting() {
  const Clock::time_point now = Clock::now();
  const std::chrono::duration<double> passed = now - counted_until_;
  counted_until_ = now;
  const int64_t at_work = ready_ + unpacking_;
  if (readers_ > 0 && at_work < threads_) {
    wait_seconds_ +=
        passed.count() * static_cast<double>(threads_ - at_work) / static_cast<double>(threads_);
  }
}

bool BlockQueue::WaitForSlot(int64_t block) {
  std::unique_lock lock(mutex_);
  slot_freed_.wait(lock, [&] { return !SlotOf(block).busy || failure_ != nullptr || end_; });
  if (failure_ != nullptr || end_) return false;
  SlotOf(block).busy = true;
  return true;
}

void BlockQueue::Announce(int64_t block, std::span<const std::shared_ptr<Parcel>> parcels,
                          size_t new_parcels) {
  const std::lock_guard lock(mutex_);
  int64_t missing = 1;
  for (size_t i = 0; i < parcels.size(); ++i) {
    const Parcel* parcel = parcels[i].get();
    if (i + new_parcels >= parcels.size()) waiting_for_[parcel];
    const auto waiting = waiting_for_.find(parcel);
    if (waiting == waiting_for_.end()) continue;  // unpacked already
    waiting->second.push_back(block);
    ++missing;
  }
  SlotOf(block).missing = missing;
  lanes_[static_cast<size_t>(block) % lanes_.size()].blocks.push_back(block);
}

void BlockQueue::StartUnpacking() {
  const std::lock_guard lock(mutex_);
  CountWaiting();
  ++unpacking_;
}

void BlockQueue::NoLongerMissing(int64_t block, Lanes& runnable) {
  if (--SlotOf(block).missing > 0) return;
  ++ready_;
  const auto index = static_cast<size_t>(block) % lanes_.size();
  Lane& lane = lanes_[index];
  // Empty where the announcement of the block failed.
  if (lane.running || lane.blocks.empty() || lane.blocks.front() != block) return;
  try {
    runnable.push_back(static_cast<int64_t>(index));
  } catch (...) {
    return NoteFailure(0, std::current_exception(), kWhole);
  }
  lane.running = true;
  ++running_tasks_;
}

BlockQueue::Lanes BlockQueue::Arrived(int64_t block) {
  const std::lock_guard lock(mutex_);
  CountWaiting();
  Lanes runnable;
  NoLongerMissing(block, runnable);
  return runnable;
}

BlockQueue::Lanes BlockQueue::FinishUnpacking(std::shared_ptr<Parcel> parcel) {
  const std::lock_guard lock(mutex_);
  CountWaiting();
  Lanes runnable;
  --unpacking_;
  const auto unpacked = waiting_for_.extract(parcel.get());
  parcel.reset();
  for (const int64_t block : unpacked.mapped()) NoLongerMissing(block, runnable);
  ended_.notify_all();
  return runnable;
}

void BlockQueue::FinishReading() {
  const std::lock_guard lock(mutex_);
  CountWaiting();
  --readers_;
  ended_.notify_all();
}

void BlockQueue::EndEarly(int64_t least) {
  const std::lock_guard lock(mutex_);
  if (!end_) end_ = std::max(begun_, least);
  slot_freed_.notify_all();
}

std::optional<int64_t> BlockQueue::early_end() {
  const std::lock_guard lock(mutex_);
  return end_;
}

void BlockQueue::Abandon(int64_t lane, std::exception_ptr why) {
  const std::lock_guard lock(mutex_);
  NoteFailure(0, std::move(why), kWhole);
  lanes_[static_cast<size_t>(lane)].running = false;
  --running_tasks_;
  ended_.notify_all();
}

std::optional<int64_t> BlockQueue::Pop(int64_t lane) {
  const std::lock_guard lock(mutex_);
  Lane& queue = lanes_[static_cast<size_t>(lane)];
  if (queue.blocks.empty() || SlotOf(queue.blocks.front()).missing > 0) {
    queue.running = false;
    --running_tasks_;
    ended_.notify_all();
    return std::nullopt;
  }
  const int64_t block = queue.blocks.front();
  queue.blocks.pop_front();
  if (!end_) begun_ = std::max(begun_, block + 1);
  return block;
}

void BlockQueue::Finish(int64_t block) {
  const std::lock_guard lock(mutex_);
  CountWaiting();
  --ready_;
  SlotOf(block).busy = false;
  slot_freed_.notify_all();
}

bool BlockQueue::IsDropped(int64_t block) {
  const std::lock_guard lock(mutex_);
  return block >= failed_block_ || (end_ && block >= *end_);
}

void BlockQueue::Fail(int64_t block, std::exception_ptr why, int64_t part) {
  const std::lock_guard lock(mutex_);
  NoteFailure(block, std::move(why), part);
}

void BlockQueue::NoteFailure(int64_t block, std::exception_ptr why, int64_t part) {
  if (block < failed_block_ || (block == failed_block_ && part < failed_part_)) {
    failed_block_ = block;
    failed_part_ = part;
    failure_ = std::move(why);
  }
  slot_freed_.notify_all();
}

void BlockQueue::WaitForEnd() {
  std::unique_lock lock(mutex_);
  ended_.wait(lock, [&] { return readers_ == 0 && unpacking_ == 0 && running_tasks_ == 0; });
  if (failure_ != nullptr) std::rethrow_exception(failure_);
}

}  // namespace rhohat
