// The rows of one or several HDF5 files, one after another, as one data set.
//
// A row has a global number: files in the order given, rows in file order. Files are opened as the
// rows reach them and closed when no block in hand needs them, so that descriptors do not grow with
// the number of files. A file that changed since it was first opened ends the reading: half of one
// data set and half of another is neither.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <vector>

#include "data/direct_reader.h"
#include "data/hdf5_dataset.h"
#include "data/row_source.h"
#include "rhohat/options.h"

namespace rhohat {

// Fetch() by one thread at a time; everything else is thread-safe.
class DataSet : public RowSource {
 public:
  // Opens every file once, to learn its shape and where its chunks are. Throws Error.
  explicit DataSet(const DataOptions& options);

  int64_t rows() const override { return first_rows_.back(); }
  int64_t columns() const override { return files_.front().columns; }
  ElementType type() const override;
  size_t MaxRawBytes(int64_t count) const override;
  size_t ParcelBytes(int64_t count) const override;
  size_t ReaderBytes() const override;
  size_t UnpackBytes() const override;
  int64_t ParcelRows() const override;
  int64_t readers() const override;
  void Fetch(RowRange range, RawRows& out) override;
  void Read(RawRows& rows) override;
  std::string Locate(int64_t row) const override;
  uint64_t bytes_read() const override {
    return resources_->bytes_read.load(std::memory_order_relaxed);
  }

  const std::vector<Hdf5DataSetInfo>& files() const { return files_; }

  // Whether every chunk was written, as far as that is known: of what is read directly.
  bool IsWhole() const;

 private:
  void AddFile(const std::string& file);
  size_t FileOf(int64_t row) const;
  size_t RowsBytes(int64_t count) const;
  void OpenFile(size_t index);
  void CheckUnchanged(const Hdf5DataSetInfo& known, uint64_t bytes, int64_t modified) const;
  void FetchByLibrary(size_t index, RowRange range, int64_t first_row, size_t& byte_offset,
                      RawRows& out);

  DataOptions options_;
  std::vector<Hdf5DataSetInfo> files_;
  std::vector<std::unique_ptr<DirectReader>> direct_;  // null: by the library
  std::vector<int64_t> first_rows_;                    // of each file, and one past the last row
  std::shared_ptr<DirectResources> resources_ = std::make_shared<DirectResources>();

  // Of the pass.
  int64_t next_row_ = 0;
  std::optional<size_t> open_index_;
  std::optional<Hdf5DataSet> library_;  // the open file, where the library reads it
};

}  // namespace rhohat
