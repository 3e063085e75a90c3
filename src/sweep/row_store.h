// Rows in memory, each in a numbered slot: as they are stored where that is smaller than T, else as
// T. What mini-batches are picked from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
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

}  // namespace rhohat
