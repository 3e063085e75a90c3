// HDF5's filter pipeline, outside the HDF5 library: a stored chunk to elements and back, on any
// thread.
//
// The library runs its filters under a global lock, one chunk at a time. Here a chunk is fetched as
// it is stored, and threads decode it on their own.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/aligned_buffer.h"
#include "data/chunk_codecs.h"
#include "data/chunk_filter.h"

namespace rhohat {

// What a thread keeps between chunks: buffers for what is between two filters, and the codecs'
// states. It grows to what the pipelines that use it need, and never shrinks.
class FilterScratch {
 public:
  // Buffer 0 or 1, for `size` bytes; what it held is lost where it must grow.
  std::span<std::byte> Buffer(size_t number, size_t size);
  CodecStates& codecs() { return codecs_; }

 private:
  CodecStates codecs_;
  std::array<AlignedBuffer<std::byte>, 2> buffers_;
};

// Immutable, and so thread-safe: each thread brings its scratch.
class FilterPipeline {
 public:
  // Filters in the order of writing. Throws Error(kBadData) where there are more than HDF5 allows.
  FilterPipeline(std::vector<ChunkFilter> filters, size_t chunk_bytes);

  // Fills `chunk`, of chunk_bytes(), which must not overlap `stored` otherwise than OnlyChecks()
  // says. Bit i of `filter_mask`: filter i was skipped for this chunk. Throws Error(kBadData) with
  // the reason only; where it is, the caller knows.
  void Decode(std::span<const std::byte> stored, uint32_t filter_mask, std::span<std::byte> chunk,
              FilterScratch& scratch) const;

  // Whether no filter changes the chunk's own bytes: checksums behind them, or nothing. Then
  // Decode()'s `chunk` may also be the first bytes of `stored`, and nothing is copied.
  bool OnlyChecks() const;

  // Replaces `stored`. Returns the filter mask: LZF is skipped where it would not shrink the chunk,
  // as HDF5 does; nothing else ever is. Throws Error(kInternal) where a filter can only be read.
  uint32_t Encode(std::span<const std::byte> chunk, std::vector<std::byte>& stored,
                  FilterScratch& scratch) const;

  const std::vector<ChunkFilter>& filters() const { return filters_; }
  size_t chunk_bytes() const { return chunk_bytes_; }

  // The most that a FilterScratch holds after this pipeline's Decode() and Encode(), or while they
  // run. LZF also takes 256 KiB of the calling thread's stack while it compresses.
  size_t ScratchBytes() const;

  // The same for Decode() alone, which for most codecs needs much less.
  size_t DecodeScratchBytes() const;

  // The most that Encode() makes of a chunk.
  size_t MaxStoredBytes() const { return max_stored_bytes_; }

 private:
  struct Needs {
    size_t buffers = 0;
    size_t decompressors = 0;
    size_t compressors = 0;
  };
  Needs ScratchNeeds() const;

  std::vector<ChunkFilter> filters_;
  size_t chunk_bytes_;
  size_t max_stored_bytes_;
};

}  // namespace rhohat
