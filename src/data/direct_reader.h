// Reading a data set of one file past the HDF5 library: the bytes are fetched with pread where the
// library's index says they are, and unpacked by the compute threads.
//
// The library would take its global lock and decompress under it. What has no such path (virtual
// and compact data sets, external storage, filters and number types that only the library knows)
// says why in Hdf5DataSetInfo::library_reason.
//
// Without filters any rows of a chunk can be read on their own, straight to where they are wanted.
// With filters a chunk is only readable as a whole: chunks are parcels, which blocks of rows share.
// Small ones are put together, so that a parcel is worth the trouble. Where the only filters are
// checksums, rows are used where they were read to.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "base/input_file.h"
#include "data/buffer_pool.h"
#include "data/chunk_grid.h"
#include "data/filter_pipeline.h"
#include "data/hdf5_chunk_index.h"
#include "data/hdf5_dataset_info.h"
#include "data/row_source.h"

namespace rhohat {

// What the readers of all files of a data set share. Thread-safe.
struct DirectResources {
  BufferPool stored;
  BufferPool unpacked;
  std::atomic<uint64_t> bytes_read = 0;

  std::unique_ptr<FilterScratch> TakeScratch();
  void GiveBack(std::unique_ptr<FilterScratch> scratch);

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<FilterScratch>> scratches_;
};

// Fetch() and Open() by one thread at a time.
class DirectReader {
 public:
  // `info` says that the direct path applies. Reads the index of the chunks.
  DirectReader(const Hdf5DataSetInfo& info, std::shared_ptr<DirectResources> resources);

  // Adds what rows [begin, end) of the file are made of to `out`, whose row `first_row` they begin
  // at; `byte_offset` is where in out.bytes there is room, and moves on.
  void Fetch(RowRange range, int64_t first_row, size_t& byte_offset, RawRows& out);

  // Opens the file again, and lets go of what the last pass held.
  void StartPass(std::shared_ptr<const InputFile> file);

  // Whether some chunks were never written and hold the fill value.
  bool has_unwritten() const { return has_unwritten_; }

  size_t RawBytesPerRow() const;
  // What says where `count` rows lie: the more, the smaller the chunks.
  size_t PlacesBytes(int64_t count) const;
  int64_t ParcelRows() const { return pipeline_ ? parcel_rows() : 1; }
  size_t ParcelBytes() const;        // of one parcel: stored and unpacked
  double ParcelBytesPerRow() const;  // of all parcels: the last may be full of nothing
  size_t MemoryBytes() const;        // the index
  size_t ScratchBytes() const { return pipeline_ ? pipeline_->DecodeScratchBytes() : 0; }

 private:
  class ChunkParcel;
  struct Band;

  int64_t parcel_rows() const { return bands_in_parcel_ * grid_.rows_in_chunk(); }
  bool IsUnfilteredEdge(int64_t chunk) const;
  const ChunkPlace& PlaceOf(int64_t band, int64_t chunk) const;
  void CheckPlaces();
  void PlanParcels();
  size_t UnpackedBytes() const;
  std::shared_ptr<ChunkParcel> ParcelOf(int64_t band, RawRows& out);
  void AddBand(const Band& band, size_t& byte_offset, RawRows& out);
  void AddRuns(const Band& band, int64_t chunk, const std::byte* data, RawRows& out) const;

  std::string where_;
  ElementType element_;
  int64_t rows_ = 0;
  int64_t columns_ = 0;
  ChunkGrid grid_;
  bool edges_unfiltered_ = false;
  size_t chunk_row_bytes_ = 0;
  size_t chunk_bytes_ = 0;
  std::vector<ChunkPlace> places_;
  std::vector<std::byte> fill_value_;
  bool has_unwritten_ = false;
  std::vector<std::byte> fill_row_;           // made when it is first needed
  std::unique_ptr<FilterPipeline> pipeline_;  // none without filters
  bool in_place_ = false;                     // whose filters leave elements where they were stored
  int64_t bands_in_parcel_ = 1;
  uint64_t gap_bytes_ = 0;        // between chunks, that may be read along
  size_t most_stored_bytes_ = 0;  // of a parcel, gaps included
  std::shared_ptr<DirectResources> resources_;

  std::shared_ptr<const InputFile> file_;
  std::shared_ptr<ChunkParcel> last_parcel_;
};

}  // namespace rhohat
