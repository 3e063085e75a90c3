// The compressors behind the filters, each as a function from bytes to bytes.
//
// Nothing in compressed bytes is believed: a result never exceeds the space given for it, and no
// memory is taken in proportion to a number that the bytes hold.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "data/chunk_filter.h"

struct libdeflate_compressor;
struct libdeflate_decompressor;
struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

namespace rhohat {

// What codecs keep between chunks, made when it is first needed. Belongs to one thread.
class CodecStates {
 public:
  libdeflate_decompressor* GzipDecompressor();
  libdeflate_compressor* GzipCompressor(int level);
  ZSTD_DCtx_s* ZstdDecompressor();
  ZSTD_CCtx_s* ZstdCompressor();

 private:
  struct Free {
    void operator()(libdeflate_decompressor* state) const;
    void operator()(libdeflate_compressor* state) const;
    void operator()(ZSTD_DCtx_s* state) const;
    void operator()(ZSTD_CCtx_s* state) const;
  };
  std::unique_ptr<libdeflate_decompressor, Free> gzip_decompressor_;
  std::unique_ptr<libdeflate_compressor, Free> gzip_compressor_;
  int gzip_level_ = -1;
  std::unique_ptr<ZSTD_DCtx_s, Free> zstd_decompressor_;
  std::unique_ptr<ZSTD_CCtx_s, Free> zstd_compressor_;
};

// For every kind but shuffle and fletcher32. Returns how many bytes were written to `out`. Throws
// Error(kBadData) with the reason, also where `out` is too small.
size_t Decompress(FilterKind kind, std::span<const std::byte> in, std::span<std::byte> out,
                  CodecStates& states);

// The same, other way round: `out` holds CompressedBound() bytes. Returns 0 for data that LZF
// cannot shrink. Throws Error(kInternal) for Blosc, which is only ever read.
size_t Compress(const ChunkFilter& filter, std::span<const std::byte> in, std::span<std::byte> out,
                CodecStates& states);

// The size that compressed bytes say they had, or a bound that follows from theirs: for whoever
// does not know it. Not to be believed. Throws Error(kBadData) where they are too damaged to say.
size_t ClaimedSize(FilterKind kind, std::span<const std::byte> in);

// The most that Compress() makes of `size` bytes.
size_t CompressedBound(const ChunkFilter& filter, size_t size);

// The most that other programs may have made of `size` bytes: theirs may be worse than ours.
size_t ForeignBound(size_t size);

// The most memory that a state, or a call, takes on the heap for chunks of `size` bytes.
size_t DecompressorBytes(FilterKind kind, size_t size);
size_t CompressorBytes(const ChunkFilter& filter, size_t size);

}  // namespace rhohat
