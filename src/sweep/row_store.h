// Rows in memory, each in a numbered slot: as they are stored where that is smaller than T, else as
// T. What mini-batches are picked from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/aligned_buffer.h"
#include "data/row_source.h"

namespace rhohat {

// Thread-safe for different slots. T is float or double.
template <class T>
class RowStore {
 public:
  // `slots` rows of `columns` values. As stored where `type` (the widest of those stored) is
  // smaller than T or `keep_stored`, which is what decoding to double is to find; else decoded.
  RowStore(int64_t slots, int64_t columns, ElementType type, bool keep_stored);
  static size_t BytesPerRow(int64_t columns, ElementType type, bool keep_stored);

  // Row raw.range.begin + i goes to slots[i], unless that is negative. Throws Error(kBadData) where
  // a value is not finite and rows are decoded; else Get() does.
  void Put(const RowSource& source, const RawRows& raw, std::span<const int64_t> slots);

  // Decoded rows to consecutive slots.
  void Put(std::span<const T> rows, int64_t first_slot);

  // Where the row in `slot` lies, and of which type its values are.
  const std::byte* data(int64_t slot) const { return RowOf(slot); }
  ElementType type(int64_t slot) const {
    return decoded_ ? kNativeType<T> : types_[static_cast<size_t>(slot)];
  }
  size_t row_bytes() const { return row_bytes_; }

  // The row in `slot`, of the source's number `row`, as numbers of U, T or double. Throws
  // Error(kBadData), naming row and column, where a value is not finite.
  template <class U>
  void Get(const RowSource& source, int64_t slot, int64_t row, std::span<U> out) const;

 private:
  std::byte* RowOf(int64_t slot) const {
    return memory_.data() + static_cast<size_t>(slot) * row_bytes_;
  }

  bool decoded_;
  size_t columns_;
  size_t row_bytes_;
  AlignedBuffer<std::byte> memory_;
  std::vector<ElementType> types_;  // of each slot, where rows are as stored
};

// The first slots of a store as a source: row i is what is in slot i, and called as in `source`.
// Reads nothing.
template <class T>
class StoreSource : public RowSource {
 public:
  // Both outlive the object.
  StoreSource(const RowSource& source, const RowStore<T>& store, int64_t columns)
      : source_(source), store_(store), columns_(columns) {}

  int64_t rows() const override { return source_.rows(); }
  int64_t columns() const override { return columns_; }
  ElementType type() const override { return store_.type(0); }
  size_t MaxRawBytes(int64_t count) const override {
    return static_cast<size_t>(count) * sizeof(RawRows::Piece);
  }
  size_t ReaderBytes() const override { return 0; }
  void Fetch(RowRange range, RawRows& out) override;
  std::string Locate(int64_t row) const override { return source_.Locate(row); }
  uint64_t bytes_read() const override { return 0; }

 private:
  const RowSource& source_;
  const RowStore<T>& store_;
  int64_t columns_;
};

}  // namespace rhohat
