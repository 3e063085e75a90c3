#include "sweep/kept_blocks.h"

#include <algorithm>
#include <bit>

#include "base/aligned_buffer.h"

namespace rhohat {
namespace {

// At either end of a stretch a chunk may be shared with blocks that are read all the same; with
// four of them to a stretch that is a minor part.
constexpr int64_t kParcelsInStretch = 4;
// Bounds the table, however many blocks there are.
constexpr int64_t kMostStretches = int64_t{1} << 16;
// Memory comes in pages; two for the ends of the rows and what else is small.
constexpr uint64_t kPageBytes = 4096;
constexpr uint64_t kFlagBytes = 1;  // for each kept block, in a BlockCache
// More than any memory; sums of a few of them do not overflow.
constexpr uint64_t kMostBytes = uint64_t{1} << 60;

int64_t CeilDivide(int64_t a, int64_t b) { return a / b + (a % b != 0 ? 1 : 0); }

uint64_t CappedProduct(uint64_t a, uint64_t b) {
  uint64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? kMostBytes : std::min(product, kMostBytes);
}

uint64_t BytesOfRows(uint64_t rows, uint64_t row_bytes) {
  const uint64_t bytes = CappedProduct(rows, row_bytes);
  return (bytes + kCacheLineBytes - 1) & ~uint64_t{kCacheLineBytes - 1};
}

int64_t StretchRows(const CacheShape& shape) {
  const int64_t parcel = std::min(shape.parcel_rows, shape.rows / kParcelsInStretch + 1);
  return std::max(
      {kParcelsInStretch * parcel, shape.block_rows, CeilDivide(shape.rows, kMostStretches)});
}

// The number `bits` bits read backwards.
int64_t ReversedBits(int64_t number, int bits) {
  int64_t reversed = 0;
  for (int bit = 0; bit < bits; ++bit) reversed |= ((number >> bit) & 1) << (bits - 1 - bit);
  return reversed;
}

}  // namespace

struct KeptBlocks::Sizes {
  explicit Sizes(const CacheShape& shape) {
    if (shape.rows <= 0) return;
    blocks = CeilDivide(shape.rows, shape.block_rows);
    const int64_t last_row = (blocks - 1) * shape.block_rows;
    stretches = last_row / StretchRows(shape) + 1;
    block_bytes = BytesOfRows(static_cast<uint64_t>(shape.block_rows), shape.row_bytes);
    last_block_bytes = BytesOfRows(static_cast<uint64_t>(shape.rows - last_row), shape.row_bytes);
    overhead = 2 * kPageBytes + static_cast<uint64_t>(stretches) * sizeof(Stretch);
    all = std::min(kMostBytes,
                   overhead +
                       CappedProduct(static_cast<uint64_t>(blocks - 1), block_bytes + kFlagBytes) +
                       last_block_bytes + kFlagBytes);
  }
  int64_t blocks = 0;
  int64_t stretches = 0;
  uint64_t block_bytes = 0;
  uint64_t last_block_bytes = 0;
  uint64_t overhead = 0;
  uint64_t all = 0;  // what it takes to keep every block
};

uint64_t KeptBlocks::BytesForAll(const CacheShape& shape) { return Sizes(shape).all; }

int64_t KeptBlocks::StretchBlocks(const CacheShape& shape) {
  return CeilDivide(StretchRows(shape), shape.block_rows);
}

KeptBlocks::KeptBlocks(const CacheShape& shape, uint64_t budget_bytes)
    : block_rows_(shape.block_rows), stretch_rows_(StretchRows(shape)) {
  const Sizes sizes(shape);
  blocks_ = sizes.blocks;
  stride_ = sizes.block_bytes;
  if (budget_bytes >= sizes.all) {
    count_ = blocks_;
  } else if (budget_bytes > sizes.overhead) {
    const uint64_t fit = (budget_bytes - sizes.overhead) / (sizes.block_bytes + kFlagBytes);
    count_ = static_cast<int64_t>(std::min(fit, static_cast<uint64_t>(blocks_ - 1)));
  }
  if (count_ == 0) return;
  ChooseStretches(sizes.stretches);
  const int64_t last = blocks_ - 1;
  rows_ = count_ * block_rows_;
  data_bytes_ = static_cast<uint64_t>(count_) * stride_;
  if (Keeps(last)) {
    rows_ -= blocks_ * block_rows_ - shape.rows;
    data_bytes_ -= sizes.block_bytes - sizes.last_block_bytes;
  }
}

void KeptBlocks::ChooseStretches(int64_t stretches) {
  stretches_.resize(static_cast<size_t>(stretches));
  const auto bits = static_cast<int>(std::bit_width(static_cast<uint64_t>(stretches - 1)));
  int64_t left = count_;
  for (int64_t i = 0; left > 0; ++i) {
    const int64_t number = ReversedBits(i, bits);
    if (number >= stretches) continue;
    const int64_t end = std::min(FirstBlockOf(number + 1), blocks_);
    Stretch& stretch = stretches_[static_cast<size_t>(number)];
    stretch.kept = std::min(left, end - FirstBlockOf(number));
    left -= stretch.kept;
  }
  int64_t place = 0;
  for (Stretch& stretch : stretches_) {
    stretch.first_place = place;
    place += stretch.kept;
  }
}

// A block is of the stretch that its first row is in.
int64_t KeptBlocks::FirstBlockOf(int64_t stretch) const {
  return CeilDivide(stretch * stretch_rows_, block_rows_);
}

bool KeptBlocks::Keeps(int64_t block) const {
  if (stretches_.empty()) return false;
  const int64_t stretch = StretchOf(block);
  return block - FirstBlockOf(stretch) < stretches_[static_cast<size_t>(stretch)].kept;
}

int64_t KeptBlocks::PlaceOf(int64_t block) const {
  const int64_t stretch = StretchOf(block);
  return stretches_[static_cast<size_t>(stretch)].first_place + block - FirstBlockOf(stretch);
}

uint64_t KeptBlocks::BookkeepingBytes() const { return stretches_.size() * sizeof(Stretch); }

}  // namespace rhohat
