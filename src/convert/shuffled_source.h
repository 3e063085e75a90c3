// The rows of a bucket file in shuffled order.
//
// A bucket is read as a whole, its rows' keys are sorted, and rows are handed out in that order:
// memory is that of the largest bucket, and the file is read from front to back.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "base/aligned_buffer.h"
#include "convert/bucket_file.h"
#include "data/row_source.h"

namespace rhohat {

class ShuffledSource final : public RowSource {
 public:
  // All rows are in the file. `type` is little-endian. `file` and `layout` outlive this.
  ShuffledSource(const BucketFile& file, const BucketLayout& layout, const ShuffleKeys& keys,
                 ElementType type);

  int64_t rows() const override { return layout_.first_row(layout_.buckets()); }
  int64_t columns() const override;
  ElementType type() const override { return type_; }
  size_t MaxRawBytes(int64_t count) const override;
  size_t ReaderBytes() const override;
  // Throws Error(kBadData) where a bucket does not hold the rows that it should.
  void Fetch(RowRange range, RawRows& out) override;
  std::string Locate(int64_t row) const override;
  uint64_t bytes_read() const override { return bytes_read_.load(std::memory_order_relaxed); }

  // Memory for a row of the bucket in hand: its record, and its place in the order.
  static constexpr size_t BytesInHand(size_t record_bytes) { return record_bytes + sizeof(Place); }

 private:
  struct Place {
    uint64_t key;
    uint64_t record;  // index in the bucket
  };

  void Load(size_t bucket);
  const std::byte* Record(uint64_t index) const;
  int64_t RowNumber(uint64_t index) const;
  [[noreturn]] void ThrowDamaged(size_t bucket) const;

  const BucketFile& file_;
  const BucketLayout& layout_;
  ShuffleKeys keys_;
  ElementType type_;
  AlignedBuffer<std::byte> records_;
  std::vector<Place> order_;
  size_t loaded_;  // the bucket in hand; buckets() where there is none
  std::atomic<uint64_t> bytes_read_ = 0;
};

}  // namespace rhohat
