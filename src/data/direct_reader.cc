#include "data/direct_reader.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "data/chunk_parcel.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

// Chunks smaller than this are put together to a parcel.
constexpr size_t kParcelBytes = size_t{256} << 10;
// What lies between two chunks is read along if it is no more than this.
constexpr uint64_t kGapBytes = 16 << 10;

std::vector<int64_t> ChunkShape(const Hdf5DataSetInfo& info) {
  return info.chunk.empty() ? info.shape : info.chunk;  // a contiguous data set is one chunk
}

}  // namespace

std::unique_ptr<FilterScratch> DirectResources::TakeScratch() {
  const std::lock_guard lock(mutex_);
  if (scratches_.empty()) return std::make_unique<FilterScratch>();
  std::unique_ptr<FilterScratch> scratch = std::move(scratches_.back());
  scratches_.pop_back();
  return scratch;
}

void DirectResources::GiveBack(std::unique_ptr<FilterScratch> scratch) {
  const std::lock_guard lock(mutex_);
  scratches_.push_back(std::move(scratch));
}

// Rows of one band that are wanted.
struct DirectReader::Band {
  int64_t number = 0;
  int64_t first_row_in_chunk = 0;
  int64_t rows = 0;
  int64_t first_row = 0;  // in the block
};

DirectReader::DirectReader(const Hdf5DataSetInfo& info, std::shared_ptr<DirectResources> resources)
    : where_(info.where()),
      element_(info.element),
      rows_(info.rows),
      columns_(info.columns),
      grid_(info.shape, ChunkShape(info)),
      edges_unfiltered_(info.edges_unfiltered),
      fill_value_(info.fill_value),
      resources_(std::move(resources)) {
  const size_t element_bytes = ElementBytes(element_);
  chunk_row_bytes_ = static_cast<size_t>(grid_.elements_in_chunk_row()) * element_bytes;
  chunk_bytes_ = static_cast<size_t>(grid_.rows_in_chunk()) * chunk_row_bytes_;
  if (info.chunk.empty()) {
    places_ = {{.offset = info.contiguous_offset.value_or(0),
                .stored_bytes = info.contiguous_offset ? 1U : 0U}};
    has_unwritten_ = !info.contiguous_offset;
    return;
  }
  places_ = ReadChunkIndex(info.file, info.dataset, info.shape, info.chunk);
  has_unwritten_ =
      std::ranges::any_of(places_, [](const ChunkPlace& place) { return place.stored_bytes == 0; });
  if (info.pipeline.empty()) {
    CheckPlaces();
  } else {
    pipeline_ = std::make_unique<FilterPipeline>(info.pipeline, chunk_bytes_);
    in_place_ =
        pipeline_->OnlyChecks() && std::ranges::all_of(places_, [this](const ChunkPlace& place) {
          return place.stored_bytes == 0 || place.stored_bytes >= chunk_bytes_;
        });
    PlanParcels();
  }
}

// Without filters a chunk's size in the file is known.
void DirectReader::CheckPlaces() {
  for (const ChunkPlace& place : places_) {
    if (place.stored_bytes == 0 || place.stored_bytes == chunk_bytes_) continue;
    throw Error(ErrorKind::kBadData,
                fmt::format("{}: is damaged: expected chunks of {} bytes, found one of {}", where_,
                            chunk_bytes_, place.stored_bytes));
  }
}

void DirectReader::PlanParcels() {
  const size_t band_bytes = static_cast<size_t>(grid_.chunks_in_band()) * chunk_bytes_;
  bands_in_parcel_ = std::clamp<int64_t>(static_cast<int64_t>(kParcelBytes / band_bytes), 1,
                                         std::max<int64_t>(1, grid_.bands()));
  const auto in_parcel = static_cast<size_t>(bands_in_parcel_ * grid_.chunks_in_band());
  for (size_t begin = 0; begin < places_.size(); begin += in_parcel) {
    size_t bytes = 0;
    for (size_t i = begin; i < std::min(begin + in_parcel, places_.size()); ++i) {
      bytes += places_[i].stored_bytes;
    }
    most_stored_bytes_ = std::max(most_stored_bytes_, bytes);
  }
  // Only between small chunks is a gap worth reading: room for all of them is set aside.
  gap_bytes_ = in_parcel > 1 ? std::min<uint64_t>(kGapBytes, chunk_bytes_ / 4) : 0;
  most_stored_bytes_ += (in_parcel - 1) * gap_bytes_;
}

bool DirectReader::IsUnfilteredEdge(int64_t chunk) const {
  if (!edges_unfiltered_) return false;
  const int64_t band = chunk / grid_.chunks_in_band();
  const bool last_is_partial = band + 1 == grid_.bands() && rows_ % grid_.rows_in_chunk() != 0;
  return last_is_partial || grid_.IsPartial(chunk % grid_.chunks_in_band());
}

const ChunkPlace& DirectReader::PlaceOf(int64_t band, int64_t chunk) const {
  return places_[static_cast<size_t>(band * grid_.chunks_in_band() + chunk)];
}

size_t DirectReader::RawBytesPerRow() const {
  return pipeline_ ? 0 : static_cast<size_t>(grid_.chunks_in_band()) * chunk_row_bytes_;
}

// Bands are counted as a part of the file's, whose last may be short.
size_t DirectReader::PlacesBytes(int64_t count) const {
  const double bands = std::ceil(static_cast<double>(count) * static_cast<double>(grid_.bands()) /
                                 static_cast<double>(rows_));
  const auto segments = static_cast<double>(pipeline_ ? 0 : grid_.chunks_in_band());
  const double in_band = static_cast<double>(grid_.runs_in_row()) * sizeof(RawRows::Piece) +
                         segments * sizeof(RawRows::Segment);
  constexpr double kAtEitherEnd = 2;
  return static_cast<size_t>(std::min(static_cast<double>(count), bands + kAtEitherEnd) * in_band);
}

size_t DirectReader::UnpackedBytes() const {
  if (in_place_) return 0;
  return static_cast<size_t>(bands_in_parcel_ * grid_.chunks_in_band()) * chunk_bytes_;
}

size_t DirectReader::ParcelBytes() const {
  return pipeline_ ? most_stored_bytes_ + UnpackedBytes() : 0;
}

double DirectReader::ParcelBytesPerRow() const {
  const int64_t parcels = (grid_.bands() + bands_in_parcel_ - 1) / bands_in_parcel_;
  return static_cast<double>(parcels) * static_cast<double>(ParcelBytes()) /
         static_cast<double>(rows_);
}

size_t DirectReader::MemoryBytes() const {
  const size_t row_bytes = static_cast<size_t>(columns_) * ElementBytes(element_);
  return places_.size() * sizeof(ChunkPlace) + grid_.MemoryBytes() +
         (has_unwritten_ ? row_bytes : 0);
}

void DirectReader::StartPass(std::shared_ptr<const InputFile> file) {
  file_ = std::move(file);
  last_parcel_.reset();
  if (!has_unwritten_ || !fill_row_.empty()) return;
  fill_row_.resize(static_cast<size_t>(columns_) * ElementBytes(element_));
  for (size_t i = 0; i < fill_row_.size(); ++i) fill_row_[i] = fill_value_[i % fill_value_.size()];
}

std::shared_ptr<DirectReader::ChunkParcel> DirectReader::ParcelOf(int64_t band, RawRows& out) {
  const int64_t number = band / bands_in_parcel_;
  if (!last_parcel_ || last_parcel_->number() != number) {
    last_parcel_ = std::make_shared<ChunkParcel>(*this, number);
    out.parcels.push_back(last_parcel_);
    ++out.new_parcels;
  } else if (out.parcels.empty() || out.parcels.back() != last_parcel_) {
    out.parcels.push_back(last_parcel_);
  }
  return last_parcel_;
}

void DirectReader::Fetch(RowRange range, int64_t first_row, size_t& byte_offset, RawRows& out) {
  const int64_t in_chunk = grid_.rows_in_chunk();
  for (int64_t row = range.begin; row < range.end;) {
    Band band{.number = row / in_chunk,
              .first_row_in_chunk = row % in_chunk,
              .first_row = first_row + row - range.begin};
    band.rows = std::min(range.end, (band.number + 1) * in_chunk) - row;
    AddBand(band, byte_offset, out);
    row += band.rows;
  }
}

void DirectReader::AddBand(const Band& band, size_t& byte_offset, RawRows& out) {
  const size_t skipped = static_cast<size_t>(band.first_row_in_chunk) * chunk_row_bytes_;
  const size_t bytes = static_cast<size_t>(band.rows) * chunk_row_bytes_;
  const std::shared_ptr<ChunkParcel> parcel = pipeline_ ? ParcelOf(band.number, out) : nullptr;
  for (int64_t chunk = 0; chunk < grid_.chunks_in_band(); ++chunk) {
    const ChunkPlace& place = PlaceOf(band.number, chunk);
    if (place.stored_bytes == 0) {
      AddRuns(band, chunk, nullptr, out);
    } else if (parcel) {
      const std::byte* data = parcel->Chunk(band.number * grid_.chunks_in_band() + chunk);
      AddRuns(band, chunk, data + skipped, out);
    } else {
      out.AddSegment({file_, place.offset + skipped, bytes, byte_offset});
      AddRuns(band, chunk, out.bytes.data() + byte_offset, out);
      byte_offset += bytes;
    }
  }
}

// `data`: where the first wanted row of the chunk will be; null for the fill value.
void DirectReader::AddRuns(const Band& band, int64_t chunk, const std::byte* data,
                           RawRows& out) const {
  const size_t element_bytes = ElementBytes(element_);
  for (const ChunkRun& run : grid_.runs(chunk)) {
    out.AddPiece({.type = element_,
                  .first_row = band.first_row,
                  .rows = band.rows,
                  .first_column = run.first_column,
                  .columns = run.columns,
                  .data = data == nullptr
                              ? fill_row_.data()
                              : data + static_cast<size_t>(run.first_element) * element_bytes,
                  .row_stride = data == nullptr ? 0 : chunk_row_bytes_});
  }
}

}  // namespace rhohat
