#include "data/chunk_parcel.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

namespace rhohat {

DirectReader::ChunkParcel::ChunkParcel(const DirectReader& reader, int64_t number)
    : file_(reader.file_),
      reader_(reader),
      resources_(reader.resources_),
      number_(number),
      first_chunk_(number * reader.bands_in_parcel_ * reader.grid_.chunks_in_band()) {
  const int64_t bands =
      std::min(reader.bands_in_parcel_, reader.grid_.bands() - number * reader.bands_in_parcel_);
  const auto first = reader.places_.begin() + first_chunk_;
  places_ = {&*first, static_cast<size_t>(bands * reader.grid_.chunks_in_band())};
  PlaceStored();
  if (reader.in_place_) {
    stored_ = resources_->stored.Take(reader.most_stored_bytes_);
  } else {
    unpacked_ = resources_->unpacked.Take(reader.UnpackedBytes());
  }
}

DirectReader::ChunkParcel::~ChunkParcel() {
  resources_->unpacked.GiveBack(std::move(unpacked_));
  resources_->stored.GiveBack(std::move(stored_));
}

std::span<std::byte> DirectReader::ChunkParcel::Unpacked(size_t i) const {
  const AlignedBuffer<std::byte>& buffer = reader_.in_place_ ? *stored_ : *unpacked_;
  const size_t at = reader_.in_place_ ? stored_at_[i] : i * reader_.chunk_bytes_;
  return buffer.span().subspan(at, reader_.chunk_bytes_);
}

void DirectReader::ChunkParcel::PlaceStored() {
  stored_at_.reserve(places_.size());
  size_t filled = 0;
  for (size_t begin = 0; begin < places_.size();) {
    const size_t end = EndOfRun(begin);
    const bool is_written = places_[begin].stored_bytes > 0;
    for (size_t i = begin; i < end; ++i) {
      stored_at_.push_back(filled + (is_written ? places_[i].offset - places_[begin].offset : 0));
    }
    filled += BytesOfRun(begin, end);
    begin = end;
  }
}

size_t DirectReader::ChunkParcel::BytesOfRun(size_t begin, size_t end) const {
  if (places_[begin].stored_bytes == 0) return 0;
  const ChunkPlace& last = places_[end - 1];
  return last.offset + last.stored_bytes - places_[begin].offset;
}

size_t DirectReader::ChunkParcel::EndOfRun(size_t begin) const {
  size_t end = begin + 1;
  if (places_[begin].stored_bytes == 0) return end;
  uint64_t reach = places_[begin].offset + places_[begin].stored_bytes;
  while (end < places_.size() && places_[end].stored_bytes > 0 && places_[end].offset >= reach &&
         places_[end].offset - reach <= reader_.gap_bytes_) {
    reach = places_[end].offset + places_[end].stored_bytes;
    ++end;
  }
  return end;
}

void DirectReader::ChunkParcel::Read() {
  if (!stored_) stored_ = resources_->stored.Take(reader_.most_stored_bytes_);
  uint64_t total = 0;
  for (size_t begin = 0; begin < places_.size();) {
    const size_t end = EndOfRun(begin);
    const size_t bytes = BytesOfRun(begin, end);
    file_->ReadAt(places_[begin].offset, stored_->span().subspan(stored_at_[begin], bytes));
    total += bytes;
    begin = end;
  }
  resources_->bytes_read.fetch_add(total, std::memory_order_relaxed);
}

void DirectReader::ChunkParcel::Unpack() {
  std::unique_ptr<FilterScratch> scratch = resources_->TakeScratch();
  for (size_t i = 0; i < places_.size(); ++i) {
    const ChunkPlace& place = places_[i];
    if (place.stored_bytes == 0) continue;
    try {
      reader_.pipeline_->Decode(stored_->span().subspan(stored_at_[i], place.stored_bytes),
                                FilterMask(static_cast<int64_t>(i)), Unpacked(i), *scratch);
    } catch (const Error& error) {
      ThrowDamaged(static_cast<int64_t>(i), error);
    }
  }
  resources_->GiveBack(std::move(scratch));
  if (!reader_.in_place_) resources_->stored.GiveBack(std::move(stored_));
}

uint32_t DirectReader::ChunkParcel::FilterMask(int64_t index) const {
  constexpr uint32_t kNone = UINT32_MAX;
  const int64_t chunk = first_chunk_ + index;
  return reader_.IsUnfilteredEdge(chunk) ? kNone : places_[static_cast<size_t>(index)].filter_mask;
}

void DirectReader::ChunkParcel::ThrowDamaged(int64_t index, const Error& why) const {
  const int64_t band = (first_chunk_ + index) / reader_.grid_.chunks_in_band();
  const int64_t first_row = band * reader_.grid_.rows_in_chunk();
  throw Error(why.kind(),
              fmt::format("{}: the chunk of row {} on, at offset {}: {}", reader_.where_, first_row,
                          places_[static_cast<size_t>(index)].offset, why.what()));
}

}  // namespace rhohat
