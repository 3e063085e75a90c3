// Memory for the blocks that are kept between passes, and which of them are filled.
//
// One mapping of its own holds all of them, so that it takes what was counted and no heap can hold
// on to it; a page is resident from when its block is filled. What the bytes of a block mean is its
// user's business: Sweep (sweep.h).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "sweep/kept_blocks.h"

namespace rhohat {

// Whole pages from the operating system, and back to it.
class MappedMemory {
 public:
  // Throws std::bad_alloc.
  explicit MappedMemory(size_t bytes);
  ~MappedMemory();
  MappedMemory(const MappedMemory&) = delete;
  MappedMemory& operator=(const MappedMemory&) = delete;

  std::byte* data() const { return memory_; }
  size_t bytes() const { return bytes_; }

 private:
  size_t bytes_;
  std::byte* memory_ = nullptr;
};

// Thread-safe for different blocks, but for Forget().
class BlockCache {
 public:
  // Throws std::bad_alloc where the address space is too small.
  BlockCache(const CacheShape& shape, uint64_t budget_bytes);

  const KeptBlocks& blocks() const { return blocks_; }

  // Whether the block's rows are there.
  bool Has(int64_t block) const {
    return blocks_.Keeps(block) && filled_[Flag(block)].load(std::memory_order_acquire);
  }
  // Whether the rows of all of the data are.
  bool HasAll() const { return filled_count_.load(std::memory_order_acquire) == blocks_.blocks(); }

  // Where the rows of a block lie that is kept: `bytes` from a cache line's start on, no more than
  // the block's rows take.
  std::byte* Place(int64_t block) const { return memory_.data() + blocks_.OffsetOf(block); }
  // The block's rows are in their place.
  void SetFilled(int64_t block);

  // Nothing is filled any more.
  void Forget();

  // All that it takes, never more than its budget.
  uint64_t bytes() const;

 private:
  size_t Flag(int64_t block) const { return static_cast<size_t>(blocks_.PlaceOf(block)); }

  KeptBlocks blocks_;
  MappedMemory memory_;
  std::unique_ptr<std::atomic<bool>[]> filled_;  // one a kept block
  std::atomic<int64_t> filled_count_ = 0;
};

}  // namespace rhohat
