// How many buckets rows are dealt to, within a memory budget.
//
// While rows are dealt there is a buffer for every bucket; afterwards there is one bucket in hand.
// Few buckets make the first large and the second small. Buckets of some 16 MiB are best where
// there is memory enough; with M bytes of memory, up to about M² / 8 KiB of rows can be shuffled.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rhohat {

struct ShuffleSize {
  int64_t rows = 0;
  size_t record_bytes = 0;
  // What is held beside buffers and bucket: the program, readers and writers with their blocks.
  uint64_t fixed_bytes = 0;
};

class ShuffleMemory {
 public:
  // Throws Error(kUsage), naming the least that works, where `memory_bytes` is too little.
  ShuffleMemory(const ShuffleSize& size, uint64_t memory_bytes);

  // Buckets to try first, of `wanted_bytes` each if memory allows. How full they get is chance.
  size_t FirstBuckets(uint64_t wanted_bytes) const;
  // More of them, for when the fullest was too full.
  static size_t MoreBuckets(size_t buckets) { return buckets + buckets / 8 + 1; }
  bool Fits(int64_t rows_of_largest) const { return rows_of_largest <= most_rows_; }

  // For buckets that an interrupted run has made, with another budget perhaps. Throws
  // Error(kUsage), naming the least that works.
  void CheckFits(size_t buckets, int64_t rows_of_largest) const;

  // Of one bucket. A multiple of kBucketAlignment.
  size_t BufferBytes(size_t buckets, int64_t rows_of_largest) const;

 private:
  ShuffleSize size_;
  uint64_t memory_bytes_;
  uint64_t usable_bytes_;  // for buffers, or for the bucket in hand
  int64_t most_rows_;      // that the bucket in hand may have
};

}  // namespace rhohat
