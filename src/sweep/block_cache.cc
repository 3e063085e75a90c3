#include "sweep/block_cache.h"

#include <sys/mman.h>

#include <new>

namespace rhohat {
namespace {

size_t WholePages(size_t bytes) {
  constexpr size_t kPageBytes = 4096;
  return (bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
}

}  // namespace

MappedMemory::MappedMemory(size_t bytes) : bytes_(WholePages(bytes)) {
  if (bytes_ == 0) return;
  void* const memory = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  memory_ = static_cast<std::byte*>(memory);
  // Fewer faults where the system has large pages to give; whether it does is all the same.
  static_cast<void>(madvise(memory, bytes_, MADV_HUGEPAGE));
}

MappedMemory::~MappedMemory() {
  if (memory_ != nullptr) munmap(memory_, bytes_);
}

BlockCache::BlockCache(const CacheShape& shape, uint64_t budget_bytes)
    : blocks_(shape, budget_bytes),
      memory_(static_cast<size_t>(blocks_.data_bytes())),
      filled_(std::make_unique<std::atomic<bool>[]>(static_cast<size_t>(blocks_.count()))) {}

void BlockCache::SetFilled(int64_t block) {
  if (!filled_[Flag(block)].exchange(true, std::memory_order_acq_rel)) ++filled_count_;
}

void BlockCache::Forget() {
  for (int64_t i = 0; i < blocks_.count(); ++i) filled_[static_cast<size_t>(i)] = false;
  filled_count_ = 0;
}

uint64_t BlockCache::bytes() const {
  return memory_.bytes() + blocks_.BookkeepingBytes() +
         static_cast<uint64_t>(blocks_.count()) * sizeof(std::atomic<bool>);
}

}  // namespace rhohat
