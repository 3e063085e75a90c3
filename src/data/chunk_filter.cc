#include "data/chunk_filter.h"

#include <fmt/core.h>

#include <array>
#include <utility>

namespace rhohat {
namespace {

struct KnownFilter {
  FilterKind kind;
  int number;
  std::string_view name;
};

constexpr std::array kKnownFilters = {
    KnownFilter{FilterKind::kGzip, 1, "gzip"},
    KnownFilter{FilterKind::kShuffle, 2, "shuffle"},
    KnownFilter{FilterKind::kFletcher32, 3, "fletcher32"},
    KnownFilter{FilterKind::kLzf, 32000, "lzf"},
    KnownFilter{FilterKind::kBlosc, 32001, "blosc"},
    KnownFilter{FilterKind::kLz4, 32004, "lz4"},
    KnownFilter{FilterKind::kZstd, 32015, "zstd"},
};

const KnownFilter& Known(FilterKind kind) {
  for (const KnownFilter& known : kKnownFilters) {
    if (known.kind == kind) return known;
  }
  return kKnownFilters[0];  // not reached: every kind is listed
}

// What upstream's Zstandard filter takes where no level is given.
constexpr int kZstdLevel = 3;

// h5py's filter notes its own version, the library's, and the size of a chunk.
constexpr uint32_t kLzfFilterVersion = 4;
constexpr uint32_t kLzfVersion = 0x0105;

}  // namespace

std::optional<FilterKind> FilterOfNumber(int number) {
  for (const KnownFilter& known : kKnownFilters) {
    if (known.number == number) return known.kind;
  }
  return std::nullopt;
}

int NumberOf(FilterKind kind) { return Known(kind).number; }

std::string_view KindName(FilterKind kind) { return Known(kind).name; }

std::string FilterName(const ChunkFilter& filter) {
  const std::string_view name = KindName(filter.kind);
  const bool has_level = filter.kind == FilterKind::kGzip || filter.kind == FilterKind::kZstd;
  return has_level ? fmt::format("{}:{}", name, filter.level) : std::string(name);
}

ChunkFilter FilterFromValues(FilterKind kind, std::vector<uint32_t> values) {
  ChunkFilter filter = {.kind = kind, .values = std::move(values)};
  const bool has_value = !filter.values.empty();
  if (kind == FilterKind::kGzip && has_value) filter.level = static_cast<int>(filter.values[0]);
  if (kind == FilterKind::kZstd) {
    filter.level = has_value ? static_cast<int>(filter.values[0]) : kZstdLevel;
  }
  if (kind == FilterKind::kShuffle && has_value) filter.element_bytes = filter.values[0];
  return filter;
}

ChunkFilter MakeFilter(FilterKind kind, int level, size_t element_bytes, size_t chunk_bytes) {
  std::vector<uint32_t> values;
  switch (kind) {
    case FilterKind::kGzip:
    case FilterKind::kZstd:
      values = {static_cast<uint32_t>(level)};
      break;
    case FilterKind::kShuffle:
      values = {static_cast<uint32_t>(element_bytes)};
      break;
    case FilterKind::kLzf:
      values = {kLzfFilterVersion, kLzfVersion, static_cast<uint32_t>(chunk_bytes)};
      break;
    case FilterKind::kFletcher32:
    case FilterKind::kLz4:
    case FilterKind::kBlosc:
      break;
  }
  return FilterFromValues(kind, std::move(values));
}

}  // namespace rhohat
