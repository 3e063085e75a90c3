// Any bytes, decoded as a chunk of a pipeline that the first bytes choose: a chunk or an Error, and
// nothing written beside the chunk. What our own filters can write must come back the same, and
// must do no harm where it is damaged.
//
//   byte 0…1  size of a chunk          byte 2  filter mask
//   byte 3    number of filters, at most 4; then one byte each: kind and element size
#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "data/filter_pipeline.h"
#include "rhohat/error.h"
#include "tests/fuzz/fuzz_rows.h"

namespace {

using rhohat::ChunkFilter;
using rhohat::FilterKind;

constexpr size_t kHeaderBytes = 8;
constexpr size_t kGuardBytes = 64;
constexpr std::byte kGuard{0xA5};

ChunkFilter FilterOf(uint8_t choice, size_t chunk_bytes) {
  const auto kind = static_cast<FilterKind>(choice % 7);
  return rhohat::MakeFilter(kind, 1, 1 + choice / 7 % 18, chunk_bytes);
}

void Decode(const rhohat::FilterPipeline& pipeline, std::span<const std::byte> stored,
            uint32_t mask, rhohat::FilterScratch& scratch) {
  std::vector<std::byte> place(pipeline.chunk_bytes() + kGuardBytes, kGuard);
  try {
    pipeline.Decode(stored, mask, std::span(place).first(pipeline.chunk_bytes()), scratch);
    ++rhohat::understood;
  } catch (const rhohat::Error&) {
  }
  rhohat::Check(std::all_of(place.end() - kGuardBytes, place.end(),
                            [](std::byte byte) { return byte == kGuard; }));
}

void RoundTrip(const std::vector<ChunkFilter>& filters, std::span<const std::byte> chunk,
               uint32_t damage, rhohat::FilterScratch& scratch) {
  const auto is_blosc = [](const ChunkFilter& filter) { return filter.kind == FilterKind::kBlosc; };
  if (chunk.empty() || std::any_of(filters.begin(), filters.end(), is_blosc)) return;
  const rhohat::FilterPipeline pipeline(filters, chunk.size());
  std::vector<std::byte> stored;
  const uint32_t mask = pipeline.Encode(chunk, stored, scratch);
  std::vector<std::byte> decoded(chunk.size());
  pipeline.Decode(stored, mask, decoded, scratch);
  rhohat::Check(std::equal(chunk.begin(), chunk.end(), decoded.begin()));
  if (stored.empty()) return;
  stored[damage / 256 % stored.size()] ^= std::byte(damage % 256);
  Decode(pipeline, stored, mask, scratch);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < kHeaderBytes) return 0;
  static rhohat::FilterScratch scratch;
  const size_t chunk_bytes = size_t{1} + data[0] + size_t{data[1]} * 256;
  std::vector<ChunkFilter> filters(data[3] % 5);
  for (size_t i = 0; i < filters.size(); ++i) filters[i] = FilterOf(data[4 + i], chunk_bytes);
  const auto stored = std::as_bytes(std::span(data, size)).subspan(kHeaderBytes);
  Decode(rhohat::FilterPipeline(filters, chunk_bytes), stored, data[2] % 16U, scratch);
  RoundTrip(filters, stored, data[0] + data[1] * 256U, scratch);
  return 0;
}
