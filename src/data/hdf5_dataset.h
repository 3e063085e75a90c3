// One open data set of one HDF5 file, read by whole rows.
//
// A row is everything under one index of the first axis; further axes are flattened in C order.
// Opening refuses what cannot be read rightly or safely, with a message that says which and why.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "data/hdf5_dataset_info.h"
#include "data/hdf5_handle.h"
#include "data/row_source.h"

namespace rhohat {

// Not thread-safe; takes the Hdf5Lock itself.
class Hdf5DataSet {
 public:
  // Throws Error(kNoInput) where the file or the data set does not exist, Error(kUsage) where
  // `dataset` is empty and the file holds several, Error(kBadData) for anything that cannot be
  // used.
  static Hdf5DataSet Open(const std::string& file, const std::string& dataset,
                          bool follow_external);

  const Hdf5DataSetInfo& info() const { return info_; }

  // Reads rows as stored: range.size() × columns elements of info().element.
  void Read(RowRange range, std::byte* out) const;

 private:
  Hdf5DataSet() = default;
  void ReadOnce(RowRange range, std::byte* out) const;
  int64_t RowsAtOnce() const;

  Hdf5DataSetInfo info_;
  Hdf5Handle file_;
  Hdf5Handle dataset_;
  Hdf5Handle memory_type_;
};

}  // namespace rhohat
