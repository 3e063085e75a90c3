// The rows of one or several HDF5 files, one after another, as one data set.
//
// A row has a global number: files in the order given, rows in file order. Only one file is open at
// a time, so that memory and descriptors do not grow with the number of files. A file that changed
// since it was first opened ends the reading: half of one data set and half of another is neither.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <vector>

#include "data/hdf5_dataset.h"
#include "data/row_source.h"
#include "rhohat/options.h"

namespace rhohat {

// Fetch() by one thread at a time; everything else is thread-safe.
class DataSet : public RowSource {
 public:
  // Opens every file once, to learn and check its shape. Throws Error.
  explicit DataSet(const DataOptions& options);

  int64_t rows() const override { return first_rows_.back(); }
  int64_t columns() const override { return files_.front().columns; }
  ElementType type() const override;
  size_t MaxRawBytes(int64_t count) const override;
  size_t ReaderBytes() const override;
  void Fetch(RowRange range, RawRows& out) override;
  std::string Locate(int64_t row) const override;
  uint64_t bytes_read() const override { return bytes_read_.load(std::memory_order_relaxed); }

  const std::vector<Hdf5DataSetInfo>& files() const { return files_; }

 private:
  size_t FileOf(int64_t row) const;
  const Hdf5DataSet& OpenFile(size_t index);

  DataOptions options_;
  std::vector<Hdf5DataSetInfo> files_;
  std::vector<int64_t> first_rows_;  // of each file, and one past the last row
  std::optional<Hdf5DataSet> open_;
  size_t open_index_ = 0;
  std::atomic<uint64_t> bytes_read_ = 0;
};

}  // namespace rhohat
