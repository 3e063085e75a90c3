// HDF5's byte shuffle, straight from its definition: what the fast one is compared with.
#pragma once

#include <cstddef>
#include <span>

namespace rhohat {

// As Shuffle() and Unshuffle() of shuffle_bytes.h.
void ShuffleReference(std::span<const std::byte> in, size_t element_bytes, std::byte* out);
void UnshuffleReference(std::span<const std::byte> in, size_t element_bytes, std::byte* out);

}  // namespace rhohat
