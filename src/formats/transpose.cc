#include "formats/transpose.h"

#include <algorithm>
#include <cstring>

namespace rhohat {
namespace {

// Small tiles, so that every cache line is used whole while it is in the fastest cache, even where
// the lines of many columns fall into the same few sets of it. Others were measured to be slower.
constexpr size_t kTileRows = 64;
constexpr size_t kTileColumns = 16;

template <class T>
void TransposeTile(const std::byte* in, size_t rows, size_t row, size_t row_count,
                   std::span<const int64_t> from, std::byte* out, size_t row_stride) {
  for (size_t r = row; r < row + row_count; ++r) {
    std::byte* const to = out + r * row_stride;
    for (size_t c = 0; c < from.size(); ++c) {
      const size_t element = static_cast<size_t>(from[c]) * rows + r;
      std::memcpy(to + c * sizeof(T), in + element * sizeof(T), sizeof(T));
    }
  }
}

template <class T>
void Transpose(const std::byte* in, size_t rows, std::span<const int64_t> from, std::byte* out,
               size_t row_stride) {
  for (size_t row = 0; row < rows; row += kTileRows) {
    const size_t row_count = std::min(kTileRows, rows - row);
    for (size_t c = 0; c < from.size(); c += kTileColumns) {
      const auto columns = from.subspan(c, std::min(kTileColumns, from.size() - c));
      TransposeTile<T>(in, rows, row, row_count, columns, out + c * sizeof(T), row_stride);
    }
  }
}

}  // namespace

void TransposeColumns(const std::byte* in, size_t element_bytes, int64_t rows,
                      std::span<const int64_t> from, std::byte* out, size_t row_stride) {
  const auto count = static_cast<size_t>(rows);
  if (element_bytes == 1) return Transpose<uint8_t>(in, count, from, out, row_stride);
  if (element_bytes == 2) return Transpose<uint16_t>(in, count, from, out, row_stride);
  if (element_bytes == 4) return Transpose<uint32_t>(in, count, from, out, row_stride);
  Transpose<uint64_t>(in, count, from, out, row_stride);
}

}  // namespace rhohat
