// All elements of an HDF5 data set in memory that does not grow with it, whatever its shape.
//
// Reading by rows (hdf5_dataset.h) holds whole rows, and whole chunks of them. Where rows are
// themselves too long for that, as of a matrix whose axes another program swapped, elements come
// block by block instead: boxes of whole chunks, each of which is decompressed once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "data/hdf5_dataset_info.h"

namespace rhohat {

// Elements that follow one another in C order, from the one of that number on.
using TakeElements = std::function<void(int64_t first, std::span<const std::byte> elements)>;

// Throws Error(kBadData) where the data set holds far less than its shape claims: what was never
// written would read as zeros, as many as a small file may claim.
void CheckIsStored(const Hdf5DataSetInfo& info);

// Hands over every element of the data set that `info` describes, once, in runs as long as blocks
// of `block_bytes` (or of one chunk, where that is more) allow. Throws Error(kBadData) where the
// file has changed since, cannot be read, or holds far less than its shape claims.
void ReadByBlocks(const Hdf5DataSetInfo& info, size_t block_bytes, const TakeElements& take);

}  // namespace rhohat
