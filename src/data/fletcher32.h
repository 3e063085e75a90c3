// The checksum of HDF5's fletcher32 filter, as the library computes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace rhohat {

// Fletcher's checksum over 16-bit big-endian words; an odd last byte is the upper half of a word.
uint32_t Fletcher32(std::span<const std::byte> bytes);

// Its twin for processors without wide registers.
uint32_t PortableFletcher32(std::span<const std::byte> bytes);

// Whether `stored` is the checksum of those bytes, as written today or as by old versions of the
// library, which swapped the bytes of each half.
bool MatchesFletcher32(std::span<const std::byte> bytes, uint32_t stored);

}  // namespace rhohat
