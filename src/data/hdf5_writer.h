// Writing rows to a new HDF5 file that appears whole or not at all.
//
// Chunks are filtered by us, by as many threads as the caller likes, and handed to the library as
// they are to be stored. The library never flushes to disk, and after a failed write may report
// success later. So the first failure latches; the file is built under a temporary name, closed,
// looked at again, flushed and only then given its name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/element_type.h"
#include "data/filter_pipeline.h"
#include "data/hdf5_handle.h"

namespace rhohat {

struct Hdf5WriterOptions {
  std::string dataset = "data";  // name of the data set
  ElementType type;              // little-endian
  int64_t rows = 0;
  int64_t columns = 0;
  int64_t chunk_rows = 0;                 // 0: chunks of whole rows, about 1 MiB
  bool shuffle_bytes = false;             // sort the bytes of a chunk by significance
  std::optional<FilterKind> compression;  // kGzip, kZstd or kLz4
  int level = 0;                          // of the compression
  bool checksum = true;                   // fletcher32 on every chunk
  bool replace = true;                    // a file of that name, when all is written
};

// Rows in a chunk of a file that is written so.
int64_t ChunkRowsOf(const Hdf5WriterOptions& options);

// A chunk as it is to be stored.
struct EncodedChunk {
  std::vector<std::byte> stored;
  uint32_t filter_mask = 0;
};

// Used by one thread at a time, except EncodeChunk(). A writer that is destroyed before Commit()
// leaves nothing behind.
class Hdf5Writer {
 public:
  // Throws Error(kCannotCreate).
  Hdf5Writer(const std::string& path, const Hdf5WriterOptions& options);
  ~Hdf5Writer();
  Hdf5Writer(const Hdf5Writer&) = delete;
  Hdf5Writer& operator=(const Hdf5Writer&) = delete;

  int64_t chunk_rows() const { return chunk_rows_; }
  // The most that one chunk takes as it is stored; and a thread's memory while it encodes one.
  size_t MostStoredBytes() const { return pipeline_->MaxStoredBytes(); }
  size_t EncodingBytes() const;

  // Filters `rows`, of which there are chunk_rows(), or fewer in the last chunk. Thread-safe;
  // `scratch` belongs to the calling thread.
  void EncodeChunk(std::span<const std::byte> rows, FilterScratch& scratch,
                   EncodedChunk& out) const;
  // The next chunk. Not to be mixed with Append(). Throws Error(kIo).
  void AppendChunk(const EncodedChunk& chunk);

  // The next rows, any number of whole ones, in the type of the file. Throws Error(kIo).
  void Append(std::span<const std::byte> rows);

  // Text beside the data set, for whoever finds the file.
  void SetAttribute(const std::string& name, const std::string& value);
  // After all rows. Throws Error(kIo).
  void Commit();

 private:
  void Create();
  [[noreturn]] void Fail(const std::string& doing);
  void Abandon();
  void CheckNotFailed() const;
  void AppendPending();
  void Verify() const;
  void StartWriteback();

  std::string path_;
  std::filesystem::path temporary_;
  Hdf5WriterOptions options_;
  int64_t chunk_rows_ = 0;
  size_t row_bytes_ = 0;
  std::unique_ptr<FilterPipeline> pipeline_;
  int64_t written_rows_ = 0;
  uint64_t unflushed_bytes_ = 0;
  int descriptor_ = -1;  // of the file, for the kernel only
  bool failed_ = false;
  bool committed_ = false;
  Hdf5Handle file_;
  Hdf5Handle dataset_;

  // Of Append(): rows that do not fill a chunk yet.
  std::vector<std::byte> pending_;
  FilterScratch scratch_;
  EncodedChunk encoded_;
};

}  // namespace rhohat
