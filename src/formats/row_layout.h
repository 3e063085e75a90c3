// What a header says about the elements behind it, and whether there is room for them: what IDX,
// NumPy and raw files have in common, in whatever order their elements lie.
#pragma once

#include <cstdint>
#include <string>

#include "data/row_source.h"
#include "formats/byte_stream.h"

namespace rhohat {

struct RowLayout {
  ElementType type;
  int64_t rows = 0;
  int64_t columns = 0;
  uint64_t header_bytes = 0;
  bool truth_values = false;  // bytes that must be 0 or 1
};

struct LayoutBytes {
  int64_t row = 0;
  int64_t elements = 0;
  int64_t content = 0;  // header and elements
};

// Throws Error(kBadData), naming `path`, where a size does not fit in 63 bits.
LayoutBytes BytesOf(const RowLayout& layout, const std::string& path);

// The first half of messages: "x.npy: expected 22 bytes, for 3 rows × 2 columns of uint8".
std::string PromiseOf(const RowLayout& layout, const std::string& path);

// Throws Error(kBadData) where the size of `stream`, as far as it tells, contradicts the layout, so
// that nothing is allocated on the word of a header.
void CheckSize(const ByteStream& stream, const RowLayout& layout);

// Throws Error(kBadData) where one of `rows`, which are one piece, holds a byte that is not 0 or 1.
void CheckTruthValues(const RowSource& source, const RawRows& rows);

}  // namespace rhohat
