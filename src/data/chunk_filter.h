// What HDF5 does to a chunk on its way to the file, by name: the filters that we apply ourselves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rhohat {

enum class FilterKind : uint8_t { kShuffle, kFletcher32, kGzip, kLzf, kZstd, kLz4, kBlosc };

struct ChunkFilter {
  FilterKind kind = FilterKind::kGzip;
  int level = 0;                 // gzip, zstd
  size_t element_bytes = 1;      // shuffle
  std::vector<uint32_t> values;  // the filter's client values, as in the file
};

// By the numbers that are registered with the HDF Group.
std::optional<FilterKind> FilterOfNumber(int number);
int NumberOf(FilterKind kind);

// "gzip", "shuffle", "zstd", …
std::string_view KindName(FilterKind kind);

// "gzip:1", "shuffle", "zstd:3": as listings and options spell it.
std::string FilterName(const ChunkFilter& filter);

// From a file: takes level and element size from the client values.
ChunkFilter FilterFromValues(FilterKind kind, std::vector<uint32_t> values);

// For a new data set: with the client values that other programs expect. `level` is for gzip and
// zstd, `element_bytes` for shuffle.
ChunkFilter MakeFilter(FilterKind kind, int level, size_t element_bytes, size_t chunk_bytes);

}  // namespace rhohat
