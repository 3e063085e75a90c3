#include "data/chunk_codecs.h"

#define ZSTD_STATIC_LINKING_ONLY  // for its estimates of memory
#include <blosc.h>
#include <fmt/core.h>
#include <libdeflate.h>
#include <lzf.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <limits>
#include <new>
#include <string>

#include "data/lz4_chunk.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

using Bytes = std::span<const std::byte>;
using Space = std::span<std::byte>;

[[noreturn]] void ThrowBad(const std::string& reason) { throw Error(ErrorKind::kBadData, reason); }

[[noreturn]] void ThrowDamaged(FilterKind kind) {
  ThrowBad(fmt::format("its {} data is damaged", KindName(kind)));
}

[[noreturn]] void ThrowTooLong(Space out) {
  ThrowBad(fmt::format("expected {} bytes, found more", out.size()));
}

[[noreturn]] void ThrowCannotCompress(FilterKind kind) {
  throw Error(ErrorKind::kInternal, fmt::format("{} cannot compress a chunk", KindName(kind)));
}

// gzip: HDF5's name for the zlib format.

int GzipLevel(int level) { return std::clamp(level, 0, 9); }

size_t GzipDecompress(Bytes in, Space out, libdeflate_decompressor* state) {
  size_t written = 0;
  switch (
      libdeflate_zlib_decompress(state, in.data(), in.size(), out.data(), out.size(), &written)) {
    case LIBDEFLATE_SUCCESS:
      return written;
    case LIBDEFLATE_INSUFFICIENT_SPACE:
      ThrowTooLong(out);
    default:
      ThrowDamaged(FilterKind::kGzip);
  }
}

size_t GzipCompress(Bytes in, Space out, libdeflate_compressor* state) {
  const size_t written =
      libdeflate_zlib_compress(state, in.data(), in.size(), out.data(), out.size());
  if (written == 0) ThrowCannotCompress(FilterKind::kGzip);
  return written;
}

// Zstandard: one frame.

int ZstdLevel(int level) { return std::clamp(level, ZSTD_minCLevel(), ZSTD_maxCLevel()); }

// Formats older than the first release have decoders of their own, which nothing here needs.
bool IsOneZstdFrame(Bytes in) {
  constexpr uint32_t kMagic = ZSTD_MAGICNUMBER;
  return in.size() >= sizeof kMagic && std::memcmp(in.data(), &kMagic, sizeof kMagic) == 0 &&
         ZSTD_findFrameCompressedSize(in.data(), in.size()) == in.size();
}

size_t ZstdDecompress(Bytes in, Space out, ZSTD_DCtx* state) {
  if (!IsOneZstdFrame(in)) ThrowDamaged(FilterKind::kZstd);
  const size_t written = ZSTD_decompressDCtx(state, out.data(), out.size(), in.data(), in.size());
  if (ZSTD_getErrorCode(written) == ZSTD_error_dstSize_tooSmall) ThrowTooLong(out);
  if (ZSTD_isError(written) != 0) ThrowDamaged(FilterKind::kZstd);
  return written;
}

size_t ZstdCompress(Bytes in, Space out, int level, ZSTD_CCtx* state) {
  const size_t written =
      ZSTD_compressCCtx(state, out.data(), out.size(), in.data(), in.size(), ZstdLevel(level));
  if (ZSTD_isError(written) != 0) ThrowCannotCompress(FilterKind::kZstd);
  return written;
}

// LZF, which keeps no state, and whose sizes are 32-bit numbers.

bool FitsLzf(size_t size) { return size <= std::numeric_limits<unsigned>::max(); }

size_t LzfDecompress(Bytes in, Space out) {
  // Neither an empty result nor one from nothing is told apart from an error.
  if (in.empty() || !FitsLzf(in.size()) || !FitsLzf(out.size())) ThrowDamaged(FilterKind::kLzf);
  const unsigned written = lzf_decompress(in.data(), static_cast<unsigned>(in.size()), out.data(),
                                          static_cast<unsigned>(out.size()));
  if (written != 0) return written;
  if (errno == E2BIG) ThrowTooLong(out);
  ThrowDamaged(FilterKind::kLzf);
}

// The library looks positions up in a table that it does not clear. That changes no result:
// whatever occurred before was entered in the same call, and what did not is compared and found
// different.
size_t LzfCompress(Bytes in, Space out) {
  if (in.size() < 2 || !FitsLzf(in.size())) return 0;
  return lzf_compress(in.data(), static_cast<unsigned>(in.size()), out.data(),
                      static_cast<unsigned>(std::min(in.size() - 1, out.size())));
}

// Blosc 1: a header of 16 bytes, and blocks by one of several compressors.

// The library prints where it was built without a compressor: asks before.
void CheckBloscCompressor(Bytes in) {
  constexpr std::byte kNotCompressed{2};
  if ((in[2] & kNotCompressed) != std::byte{0}) return;
  // The formats' numbers; LZ4 and its slower sibling share one.
  constexpr std::array kNames = {BLOSC_BLOSCLZ_COMPNAME, BLOSC_LZ4_COMPNAME, BLOSC_SNAPPY_COMPNAME,
                                 BLOSC_ZLIB_COMPNAME, BLOSC_ZSTD_COMPNAME};
  const auto format = std::to_integer<size_t>(in[2] >> 5);
  if (format >= kNames.size()) ThrowDamaged(FilterKind::kBlosc);
  if (blosc_compname_to_compcode(kNames[format]) < 0) {
    ThrowBad(
        fmt::format("its blosc data is compressed by {}, which this Blosc library was built "
                    "without",
                    kNames[format]));
  }
}

// Whether the header agrees with the number of bytes that are there; sets what it says they were.
bool IsBlosc(Bytes in, size_t& size) {
  return in.size() >= BLOSC_MIN_HEADER_LENGTH &&
         blosc_cbuffer_validate(in.data(), in.size(), &size) == 0;
}

size_t BloscDecompress(Bytes in, Space out) {
  size_t size = 0;
  if (!IsBlosc(in, size)) ThrowDamaged(FilterKind::kBlosc);
  if (size > out.size()) {
    ThrowBad(fmt::format("expected {} bytes, found {}", out.size(), size));
  }
  if (size == 0) return 0;
  CheckBloscCompressor(in);
  const int written = blosc_decompress_ctx(in.data(), out.data(), size, 1);
  if (written < 0 || static_cast<size_t>(written) != size) ThrowDamaged(FilterKind::kBlosc);
  return size;
}

template <class Pointer>
typename Pointer::pointer Require(const Pointer& state) {
  if (state == nullptr) throw std::bad_alloc();
  return state.get();
}

}  // namespace

void CodecStates::Free::operator()(libdeflate_decompressor* state) const {
  libdeflate_free_decompressor(state);
}
void CodecStates::Free::operator()(libdeflate_compressor* state) const {
  libdeflate_free_compressor(state);
}
void CodecStates::Free::operator()(ZSTD_DCtx* state) const { ZSTD_freeDCtx(state); }
void CodecStates::Free::operator()(ZSTD_CCtx* state) const { ZSTD_freeCCtx(state); }

libdeflate_decompressor* CodecStates::GzipDecompressor() {
  if (gzip_decompressor_ == nullptr) gzip_decompressor_.reset(libdeflate_alloc_decompressor());
  return Require(gzip_decompressor_);
}

libdeflate_compressor* CodecStates::GzipCompressor(int level) {
  if (gzip_compressor_ == nullptr || gzip_level_ != level) {
    gzip_compressor_.reset();
    gzip_compressor_.reset(libdeflate_alloc_compressor(level));
    gzip_level_ = level;
  }
  return Require(gzip_compressor_);
}

ZSTD_DCtx* CodecStates::ZstdDecompressor() {
  if (zstd_decompressor_ == nullptr) zstd_decompressor_.reset(ZSTD_createDCtx());
  return Require(zstd_decompressor_);
}

ZSTD_CCtx* CodecStates::ZstdCompressor() {
  if (zstd_compressor_ == nullptr) zstd_compressor_.reset(ZSTD_createCCtx());
  return Require(zstd_compressor_);
}

size_t Decompress(FilterKind kind, Bytes in, Space out, CodecStates& states) {
  switch (kind) {
    case FilterKind::kGzip:
      return GzipDecompress(in, out, states.GzipDecompressor());
    case FilterKind::kZstd:
      return ZstdDecompress(in, out, states.ZstdDecompressor());
    case FilterKind::kLzf:
      return LzfDecompress(in, out);
    case FilterKind::kLz4:
      return Lz4Decompress(in, out);
    case FilterKind::kBlosc:
      return BloscDecompress(in, out);
    case FilterKind::kShuffle:
    case FilterKind::kFletcher32:
      break;
  }
  throw Error(ErrorKind::kInternal, fmt::format("{} is no compressor", KindName(kind)));
}

size_t ClaimedSize(FilterKind kind, Bytes in) {
  constexpr size_t kMostGzipRatio = 1032;  // two bits for 258 bytes
  constexpr size_t kMostLzfRatio = 88;     // three bytes repeat 264 earlier ones
  constexpr size_t kUnknown = std::numeric_limits<size_t>::max();
  switch (kind) {
    case FilterKind::kZstd: {
      const unsigned long long size = ZSTD_getFrameContentSize(in.data(), in.size());
      if (size == ZSTD_CONTENTSIZE_ERROR) ThrowDamaged(kind);
      return size == ZSTD_CONTENTSIZE_UNKNOWN ? kUnknown : size;
    }
    case FilterKind::kLz4:
      return Lz4ClaimedSize(in);
    case FilterKind::kBlosc: {
      size_t size = 0;
      if (!IsBlosc(in, size)) ThrowDamaged(kind);
      return size;
    }
    case FilterKind::kLzf:
      return in.size() * kMostLzfRatio;
    case FilterKind::kGzip:
      return in.size() * kMostGzipRatio;
    case FilterKind::kShuffle:
    case FilterKind::kFletcher32:
      break;
  }
  return kUnknown;
}

size_t Compress(const ChunkFilter& filter, Bytes in, Space out, CodecStates& states) {
  switch (filter.kind) {
    case FilterKind::kGzip:
      return GzipCompress(in, out, states.GzipCompressor(GzipLevel(filter.level)));
    case FilterKind::kZstd:
      return ZstdCompress(in, out, filter.level, states.ZstdCompressor());
    case FilterKind::kLzf:
      return LzfCompress(in, out);
    case FilterKind::kLz4:
      return Lz4Compress(filter, in, out);
    case FilterKind::kBlosc:
    case FilterKind::kShuffle:
    case FilterKind::kFletcher32:
      break;
  }
  throw Error(ErrorKind::kInternal,
              fmt::format("{} is not a filter to compress with", KindName(filter.kind)));
}

size_t CompressedBound(const ChunkFilter& filter, size_t size) {
  switch (filter.kind) {
    case FilterKind::kGzip:
      return libdeflate_zlib_compress_bound(nullptr, size);
    case FilterKind::kZstd:
      return ZSTD_compressBound(size);
    case FilterKind::kLz4:
      return Lz4CompressedBound(filter, size);
    case FilterKind::kLzf:
    case FilterKind::kBlosc:
    case FilterKind::kShuffle:
    case FilterKind::kFletcher32:
      break;
  }
  return size;
}

size_t ForeignBound(size_t size) { return size + size / 64 + 4096; }

size_t DecompressorBytes(FilterKind kind, size_t size) {
  constexpr size_t kGzipState = size_t{16} << 10;
  constexpr size_t kBloscInner = size_t{512} << 10;  // states of the compressors within
  if (kind == FilterKind::kGzip) return kGzipState;
  if (kind == FilterKind::kZstd) return ZSTD_estimateDCtxSize();
  // Three blocks, of which none exceeds the chunk.
  if (kind == FilterKind::kBlosc) return 3 * size + kBloscInner;
  return 0;
}

size_t CompressorBytes(const ChunkFilter& filter, size_t size) {
  constexpr size_t kGzipState = size_t{704} << 10;
  if (filter.kind == FilterKind::kGzip) return kGzipState;
  if (filter.kind == FilterKind::kZstd) {
    return ZSTD_estimateCCtxSize_usingCParams(ZSTD_getCParams(ZstdLevel(filter.level), size, 0));
  }
  return 0;
}

}  // namespace rhohat
