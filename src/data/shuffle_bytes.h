// HDF5's byte shuffle: first the first bytes of all elements, then all second ones, and so on.
// Bytes of one significance are alike, and so compress better side by side.
#pragma once

#include <cstddef>
#include <span>

namespace rhohat {

// Write in.size() bytes to `out`, which must not overlap `in`. Trailing bytes that make no whole
// element stay as they are; so does everything where elements are of one byte, or there is but one.
void Shuffle(std::span<const std::byte> in, size_t element_bytes, std::byte* out);
void Unshuffle(std::span<const std::byte> in, size_t element_bytes, std::byte* out);

}  // namespace rhohat
