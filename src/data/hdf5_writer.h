// Writing rows to a new HDF5 file that appears whole or not at all.
//
// The library never flushes to disk, and after a failed write may report success later. So the
// first failure latches; the file is built under a temporary name, closed, looked at again, flushed
// and only then given its name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "data/element_type.h"
#include "data/hdf5_handle.h"

namespace rhohat {

struct Hdf5WriterOptions {
  std::string dataset = "data";  // name of the data set
  ElementType type;              // little-endian
  int64_t rows = 0;
  int64_t columns = 0;
  int64_t chunk_rows = 0;  // 0: chunks of whole rows, about 1 MiB
  bool checksum = true;    // fletcher32 on every chunk
};

// Used by one thread at a time. A writer that is destroyed before Commit() leaves nothing behind.
class Hdf5Writer {
 public:
  // Throws Error(kCannotCreate).
  Hdf5Writer(const std::string& path, const Hdf5WriterOptions& options);
  ~Hdf5Writer();
  Hdf5Writer(const Hdf5Writer&) = delete;
  Hdf5Writer& operator=(const Hdf5Writer&) = delete;

  // The next rows, any number of whole ones, in the type of the file. Throws Error(kIo).
  void Append(std::span<const std::byte> rows);
  // Text beside the data set, for whoever finds the file.
  void SetAttribute(const std::string& name, const std::string& value);
  // After all rows. Throws Error(kIo).
  void Commit();

 private:
  [[noreturn]] void Fail(const std::string& doing);
  void Verify() const;

  std::string path_;
  std::filesystem::path temporary_;
  Hdf5WriterOptions options_;
  int64_t written_rows_ = 0;
  bool failed_ = false;
  bool committed_ = false;
  Hdf5Handle file_;
  Hdf5Handle dataset_;
};

}  // namespace rhohat
