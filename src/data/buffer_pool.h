// Buffers of one size that are used again and again: a fresh large one costs a page fault for every
// 4 KiB of it.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

#include "base/aligned_buffer.h"

namespace rhohat {

// Thread-safe.
class BufferPool {
 public:
  using Buffer = std::unique_ptr<AlignedBuffer<std::byte>>;

  // A buffer of `bytes`, its content unspecified. Asking for another size than before drops what
  // was given back.
  Buffer Take(size_t bytes) {
    {
      const std::lock_guard lock(mutex_);
      if (bytes != bytes_) free_.clear();
      bytes_ = bytes;
      if (!free_.empty()) {
        Buffer buffer = std::move(free_.back());
        free_.pop_back();
        return buffer;
      }
    }
    return std::make_unique<AlignedBuffer<std::byte>>(bytes);
  }

  // For destructors: where there is no memory to note the buffer in, it is freed.
  void GiveBack(Buffer buffer) noexcept {
    const std::lock_guard lock(mutex_);
    if (!buffer || buffer->size() != bytes_) return;
    try {
      free_.push_back(std::move(buffer));
    } catch (const std::bad_alloc&) {
      return;
    }
  }

 private:
  std::mutex mutex_;
  size_t bytes_ = 0;
  std::vector<Buffer> free_;
};

}  // namespace rhohat
