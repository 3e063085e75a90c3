// Where a data set's chunks lie in its file.
//
// The library's own questions for that walk its index anew for every chunk, so that asking for all
// takes time in the square of their number. Here the file is opened through a file driver that
// performs no read of raw data but notes where it would have read; then every chunk is "read" once,
// in order, which takes linear time. The places are absolute: a user block is counted.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace rhohat {

struct ChunkPlace {
  uint64_t offset = 0;        // in the file
  uint32_t stored_bytes = 0;  // 0: never written, which means the fill value
  uint32_t filter_mask = 0;   // bit i: filter i was skipped
};

// The chunks in row-major order of their grid, the last axis fastest. `shape` and `chunk` are the
// data set's; the number of chunks was checked by the caller. Throws Error(kBadData) where a chunk
// lies outside the file or the index is damaged.
std::vector<ChunkPlace> ReadChunkIndex(const std::string& file, const std::string& dataset,
                                       const std::vector<int64_t>& shape,
                                       const std::vector<int64_t>& chunk);

}  // namespace rhohat
