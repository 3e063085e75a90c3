// LZ4 as registered with HDF5: the size of all data (8 bytes, big-endian), that of a block (4), and
// then for every block its compressed size (4) and its bytes. A block that would not shrink is
// stored as it is; its compressed size then equals its own.
//
// What chunk_codecs.h says of its functions holds for these.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "data/chunk_filter.h"

namespace rhohat {

size_t Lz4Decompress(std::span<const std::byte> in, std::span<std::byte> out);
size_t Lz4Compress(const ChunkFilter& filter, std::span<const std::byte> in,
                   std::span<std::byte> out);
uint64_t Lz4ClaimedSize(std::span<const std::byte> in);
size_t Lz4CompressedBound(const ChunkFilter& filter, size_t size);

}  // namespace rhohat
