// Which blocks of rows stay in memory between passes: as many as fit, spread over the data.
//
// The rows are cut into stretches of a few parcels each, and whole stretches are kept, so that most
// chunks are either kept entirely, and never read again, or not kept at all. Stretches are chosen
// in bit-reversed order of their numbers: 0, n/2, n/4, 3n/4, … So those that are kept lie evenly
// among those that are not, and a pass reads the one while it computes on the other; and what a
// budget keeps, a larger one keeps too.
#pragma once

#include <cstdint>
#include <vector>

namespace rhohat {

struct CacheShape {
  int64_t rows = 0;
  int64_t block_rows = 0;
  int64_t parcel_rows = 1;  // rows that are read together, at most
  uint64_t row_bytes = 0;   // of a row as it is kept
};

// Immutable: a function of what it is constructed with.
class KeptBlocks {
 public:
  // `budget_bytes` is for the rows and all bookkeeping, a BlockCache's included.
  KeptBlocks(const CacheShape& shape, uint64_t budget_bytes);

  // The least budget that keeps every block.
  static uint64_t BytesForAll(const CacheShape& shape);

  // Blocks that are kept, or not kept, one after another: reading ahead by so many more than
  // otherwise keeps the reading threads busy meanwhile.
  static int64_t StretchBlocks(const CacheShape& shape);

  bool Keeps(int64_t block) const;

  int64_t count() const { return count_; }
  int64_t rows() const { return rows_; }      // of the blocks that are kept
  int64_t blocks() const { return blocks_; }  // of the data

  // Where the rows of a kept block lie among those of all kept blocks, in bytes: kept blocks follow
  // one another in ascending order, each at a cache line's start.
  uint64_t OffsetOf(int64_t block) const { return static_cast<uint64_t>(PlaceOf(block)) * stride_; }
  // Its number among the kept blocks.
  int64_t PlaceOf(int64_t block) const;

  uint64_t data_bytes() const { return data_bytes_; }  // of the rows of all kept blocks
  uint64_t BookkeepingBytes() const;                   // this object's own tables

 private:
  // The first `kept` blocks of a stretch are kept: all, none, or for one stretch some.
  struct Stretch {
    int64_t kept = 0;
    int64_t first_place = 0;
  };
  struct Sizes;

  int64_t StretchOf(int64_t block) const { return block * block_rows_ / stretch_rows_; }
  int64_t FirstBlockOf(int64_t stretch) const;
  void ChooseStretches(int64_t stretches);

  int64_t block_rows_;
  int64_t stretch_rows_;
  int64_t blocks_;
  uint64_t stride_ = 0;
  int64_t count_ = 0;
  int64_t rows_ = 0;
  uint64_t data_bytes_ = 0;
  std::vector<Stretch> stretches_;  // empty where nothing is kept
};

}  // namespace rhohat
