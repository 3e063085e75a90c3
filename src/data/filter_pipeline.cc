#include "data/filter_pipeline.h"

#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "data/fletcher32.h"
#include "data/shuffle_bytes.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

using Bytes = std::span<const std::byte>;

constexpr size_t kMostFilters = 32;  // HDF5's own limit: the bits of a filter mask
constexpr size_t kChecksumBytes = 4;

static_assert(std::endian::native == std::endian::little);

bool IsSkipped(uint32_t filter_mask, size_t filter) { return (filter_mask >> filter & 1U) != 0; }

// Whether a filter leaves everything as it is.
bool IsIdle(const ChunkFilter& filter) {
  return filter.kind == FilterKind::kShuffle && filter.element_bytes <= 1;
}

// Whether a filter's result is in another place than what it is given.
bool Moves(const ChunkFilter& filter) {
  return filter.kind != FilterKind::kFletcher32 && !IsIdle(filter);
}

// What is known of the number of bytes between two filters.
struct Size {
  size_t most = 0;
  bool exact = true;
};

void CheckSize(size_t found, Size expected) {
  if (expected.exact ? found == expected.most : found <= expected.most) return;
  throw Error(ErrorKind::kBadData,
              fmt::format("expected {}{} bytes, found {}", expected.exact ? "" : "at most ",
                          expected.most, found));
}

// The size of what a filter was given → that of what it made.
Size SizeAfter(const ChunkFilter& filter, Size before) {
  switch (filter.kind) {
    case FilterKind::kShuffle:
      return before;
    case FilterKind::kFletcher32:
      return {before.most + kChecksumBytes, before.exact};
    default:
      return {ForeignBound(before.most), false};
  }
}

// Sizes of what each filter was given when the chunk was written.
std::array<Size, kMostFilters> SizesBefore(const std::vector<ChunkFilter>& filters, uint32_t mask,
                                           size_t chunk_bytes) {
  std::array<Size, kMostFilters> sizes;
  Size size = {chunk_bytes, true};
  for (size_t i = 0; i < filters.size(); ++i) {
    sizes[i] = size;
    if (!IsSkipped(mask, i)) size = SizeAfter(filters[i], size);
  }
  return sizes;
}

// Checks the checksum at the end, and returns what is before it.
Bytes WithoutChecksum(Bytes bytes) {
  if (bytes.size() < kChecksumBytes) {
    throw Error(ErrorKind::kBadData, fmt::format("expected a fletcher32 checksum of {} bytes, "
                                                 "found {} bytes in all",
                                                 kChecksumBytes, bytes.size()));
  }
  const Bytes data = bytes.first(bytes.size() - kChecksumBytes);
  uint32_t stored = 0;
  std::memcpy(&stored, data.data() + data.size(), kChecksumBytes);
  if (!MatchesFletcher32(data, stored)) {
    throw Error(ErrorKind::kBadData,
                fmt::format("fletcher32 does not match: expected {:08x}, found {:08x}", stored,
                            Fletcher32(data)));
  }
  return data;
}

// Undoes one filter that moves. Returns the bytes written.
size_t Undo(const ChunkFilter& filter, Bytes in, std::span<std::byte> out, CodecStates& codecs) {
  if (filter.kind != FilterKind::kShuffle) return Decompress(filter.kind, in, out, codecs);
  if (in.size() > out.size()) CheckSize(in.size(), {out.size(), true});
  Unshuffle(in, filter.element_bytes, out.data());
  return in.size();
}

void Copy(Bytes in, std::byte* out) {
  if (!in.empty()) std::memcpy(out, in.data(), in.size());
}

// A chunk on its way through the filters: in the caller's hands, in a buffer, or in `stored`, whose
// size is the most that any of its forms can have.
class Encoding {
 public:
  Encoding(Bytes chunk, std::span<std::byte> stored, FilterScratch& scratch)
      : current_(chunk), stored_(stored), scratch_(scratch) {}

  // Returns whether the filter was applied. `to_stored`: no later filter moves anything.
  bool Apply(const ChunkFilter& filter, bool to_stored) {
    if (IsIdle(filter)) return true;
    if (filter.kind == FilterKind::kFletcher32) {
      AppendChecksum(to_stored);
      return true;
    }
    const std::span<std::byte> out = NextPlace(to_stored);
    size_t written = current_.size();
    if (filter.kind == FilterKind::kShuffle) {
      Shuffle(current_, filter.element_bytes, out.data());
    } else {
      written = Compress(filter, current_, out, scratch_.codecs());
      if (written == 0) return false;
    }
    MoveTo(out, written);
    return true;
  }

  // Brings the result to `stored` where it is not there yet; returns its size.
  size_t Finish() {
    if (current_.data() != stored_.data()) Copy(current_, stored_.data());
    return current_.size();
  }

 private:
  std::span<std::byte> NextPlace(bool to_stored) {
    if (to_stored) return stored_;
    const std::span<std::byte> first = scratch_.Buffer(0, stored_.size());
    return first.data() == place_.data() ? scratch_.Buffer(1, stored_.size()) : first;
  }

  void MoveTo(std::span<std::byte> place, size_t size) {
    place_ = place;
    current_ = place.first(size);
  }

  void AppendChecksum(bool to_stored) {
    if (place_.empty()) {
      const std::span<std::byte> out = NextPlace(to_stored);
      Copy(current_, out.data());
      MoveTo(out, current_.size());
    }
    const uint32_t checksum = Fletcher32(current_);
    std::memcpy(place_.data() + current_.size(), &checksum, kChecksumBytes);
    MoveTo(place_, current_.size() + kChecksumBytes);
  }

  Bytes current_;
  std::span<std::byte> stored_;
  FilterScratch& scratch_;
  std::span<std::byte> place_;  // where `current_` lies; empty while that is the caller's chunk
};

}  // namespace

std::span<std::byte> FilterScratch::Buffer(size_t number, size_t size) {
  AlignedBuffer<std::byte>& buffer = buffers_[number];
  if (buffer.size() < size) {
    buffer = {};  // first: never both
    buffer = AlignedBuffer<std::byte>(size);
  }
  return buffer.span().first(size);
}

FilterPipeline::FilterPipeline(std::vector<ChunkFilter> filters, size_t chunk_bytes)
    : filters_(std::move(filters)), chunk_bytes_(chunk_bytes), max_stored_bytes_(chunk_bytes) {
  if (filters_.size() > kMostFilters) {
    throw Error(ErrorKind::kBadData, fmt::format("expected at most {} filters, found {}",
                                                 kMostFilters, filters_.size()));
  }
  for (const ChunkFilter& filter : filters_) {
    max_stored_bytes_ = filter.kind == FilterKind::kFletcher32
                            ? max_stored_bytes_ + kChecksumBytes
                            : CompressedBound(filter, max_stored_bytes_);
  }
}

void FilterPipeline::Decode(Bytes stored, uint32_t filter_mask, std::span<std::byte> chunk,
                            FilterScratch& scratch) const {
  if (chunk.size() != chunk_bytes_) {
    throw Error(ErrorKind::kInternal, fmt::format("decodes chunks of {} bytes, was given {}",
                                                  chunk_bytes_, chunk.size()));
  }
  const auto sizes = SizesBefore(filters_, filter_mask, chunk_bytes_);
  // The filter that was first to change anything, and whose undoing ends in the chunk.
  size_t innermost = 0;
  while (innermost < filters_.size() &&
         (IsSkipped(filter_mask, innermost) || IsIdle(filters_[innermost]))) {
    ++innermost;
  }
  Bytes current = stored;
  size_t buffer = 0;
  for (size_t i = filters_.size(); i-- > innermost;) {
    const ChunkFilter& filter = filters_[i];
    if (IsSkipped(filter_mask, i)) continue;
    if (filter.kind == FilterKind::kFletcher32) {
      current = WithoutChecksum(current);
    } else if (Moves(filter)) {
      const std::span<std::byte> out =
          i == innermost ? chunk : scratch.Buffer(buffer, sizes[i].most);
      current = out.first(Undo(filter, current, out, scratch.codecs()));
      buffer = 1 - buffer;
    }
    CheckSize(current.size(), sizes[i]);
  }
  CheckSize(current.size(), {chunk_bytes_, true});
  if (current.data() != chunk.data()) Copy(current, chunk.data());
}

bool FilterPipeline::OnlyChecks() const { return std::ranges::none_of(filters_, Moves); }

uint32_t FilterPipeline::Encode(Bytes chunk, std::vector<std::byte>& stored,
                                FilterScratch& scratch) const {
  if (chunk.size() != chunk_bytes_) {
    throw Error(ErrorKind::kInternal, fmt::format("encodes chunks of {} bytes, was given {}",
                                                  chunk_bytes_, chunk.size()));
  }
  // The last filter that moves anything writes to `stored`; those before it, to buffers.
  size_t outermost = filters_.size();
  while (outermost > 0 && !Moves(filters_[outermost - 1])) --outermost;
  stored.resize(max_stored_bytes_);
  Encoding encoding(chunk, stored, scratch);
  uint32_t filter_mask = 0;
  for (size_t i = 0; i < filters_.size(); ++i) {
    if (!encoding.Apply(filters_[i], i + 1 >= outermost)) filter_mask |= 1U << i;
  }
  stored.resize(encoding.Finish());
  return filter_mask;
}

FilterPipeline::Needs FilterPipeline::ScratchNeeds() const {
  Needs needs;
  Size size = {chunk_bytes_, true};
  size_t steps = 0;
  for (const ChunkFilter& filter : filters_) {
    steps += IsIdle(filter) ? 0 : 1;
    needs.decompressors += DecompressorBytes(filter.kind, size.most);
    needs.compressors += CompressorBytes(filter, size.most);
    size = SizeAfter(filter, size);
  }
  // What lies between filters, going either way: two buffers at most.
  const size_t buffers = std::min<size_t>(2, steps > 1 ? steps - 1 : 0);
  needs.buffers = buffers * (std::max(size.most, max_stored_bytes_) + kCacheLineBytes);
  return needs;
}

size_t FilterPipeline::ScratchBytes() const {
  const Needs needs = ScratchNeeds();
  return needs.buffers + needs.decompressors + needs.compressors;
}

size_t FilterPipeline::DecodeScratchBytes() const {
  const Needs needs = ScratchNeeds();
  return needs.buffers + needs.decompressors;
}

}  // namespace rhohat
