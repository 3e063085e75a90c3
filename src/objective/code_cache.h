// Codes kept from the first pass of an evaluation to the second (docs/math.md §3, cached).
//
// The second pass of a block whose codes were kept is spared the encoder's products. Codes are
// those of one evaluation's parameters: the memory stays, its content does not.
#pragma once

#include <cstdint>
#include <vector>

#include "base/aligned_buffer.h"

namespace rhohat {

// Thread-safe for different blocks.
template <class T>
class CodeCache {
 public:
  // Of `rows` rows in blocks of `block_rows`, with `units` values a row: as many blocks as `bytes`
  // hold, those that `prefers(block)` says first.
  template <class Prefers>
  CodeCache(int64_t rows, int64_t block_rows, int64_t units, uint64_t bytes,
            const Prefers& prefers);
  CodeCache() = default;

  // Where the codes of a block belong, block_rows × units values; null where they are not kept.
  T* PlaceOf(int64_t block);

  // Whether they are there, having been said to be: not in an evaluation that was begun by another
  // process, of which this one does the rest.
  bool Has(int64_t block) const {
    return !entries_.empty() && entries_[static_cast<size_t>(block)].filled;
  }
  void SetFilled(int64_t block) {
    if (!entries_.empty())
      entries_[static_cast<size_t>(block)].filled = entries_[static_cast<size_t>(block)].kept;
  }

  // What one block takes.
  static uint64_t BlockBytes(int64_t block_rows, int64_t units) {
    return static_cast<uint64_t>(block_rows * units) * sizeof(T) + kCacheLineBytes;
  }

 private:
  struct Entry {
    bool kept = false;
    bool filled = false;
    AlignedBuffer<T> codes;  // allocated when first asked for
  };

  size_t values_ = 0;  // of a block
  std::vector<Entry> entries_;
};

template <class T>
template <class Prefers>
CodeCache<T>::CodeCache(int64_t rows, int64_t block_rows, int64_t units, uint64_t bytes,
                        const Prefers& prefers)
    : values_(static_cast<size_t>(block_rows * units)) {
  uint64_t left = bytes / BlockBytes(block_rows, units);
  if (left == 0) return;
  entries_.resize(static_cast<size_t>((rows + block_rows - 1) / block_rows));
  for (const bool preferred : {true, false}) {
    for (size_t block = 0; block < entries_.size() && left > 0; ++block) {
      if (prefers(static_cast<int64_t>(block)) != preferred) continue;
      entries_[block].kept = true;
      --left;
    }
  }
}

template <class T>
T* CodeCache<T>::PlaceOf(int64_t block) {
  if (entries_.empty()) return nullptr;
  Entry& entry = entries_[static_cast<size_t>(block)];
  if (entry.kept && entry.codes.size() == 0) entry.codes = AlignedBuffer<T>(values_);
  return entry.codes.data();
}

}  // namespace rhohat
