// Memory for numbers, aligned to a cache line and not initialised.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <span>

namespace rhohat {

inline constexpr size_t kCacheLineBytes = 64;

// Fixed size, moves but does not copy. Pages are touched, and so counted as resident, only when
// they are first written.
template <class T>
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(size_t size) : size_(size) {
    if (size == 0) return;
    const size_t bytes = (size * sizeof(T) + kCacheLineBytes - 1) & ~(kCacheLineBytes - 1);
    memory_.reset(static_cast<T*>(std::aligned_alloc(kCacheLineBytes, bytes)));
    if (memory_ == nullptr) throw std::bad_alloc();
  }

  T* data() const { return memory_.get(); }
  size_t size() const { return size_; }
  std::span<T> span() const { return {memory_.get(), size_}; }

 private:
  struct Free {
    void operator()(T* memory) const { std::free(memory); }
  };
  std::unique_ptr<T, Free> memory_;
  size_t size_ = 0;
};

}  // namespace rhohat
