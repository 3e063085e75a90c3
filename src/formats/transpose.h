// Columns one after another to rows one after another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace rhohat {

// `in` holds columns of `rows` elements of `element_bytes` (1, 2, 4 or 8) each, one after another.
// Makes column number from[i] of them the i-th element of the rows at `out`, which begin
// `row_stride` bytes after one another. Thread-safe.
void TransposeColumns(const std::byte* in, size_t element_bytes, int64_t rows,
                      std::span<const int64_t> from, std::byte* out, size_t row_stride);

}  // namespace rhohat
