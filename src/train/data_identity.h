// What a run, and its model, remember of the data.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/data_set.h"
#include "rhohat/model.h"

namespace rhohat {

// Enough to notice, when a run is gone on with, that the data has become another.
struct DataStamp {
  DataIdentity identity;
  std::vector<int64_t> modified_nanoseconds;  // of each file, since 1970
  uint64_t sample = 0;                        // of the bytes of rows from all parts of the data
};

// Reads up to 64 stretches of rows, 256 KiB each or one row: all rows of a small data set. Throws
// Error.
DataStamp StampOf(DataSet& data);

// How `found` differs from `expected`, in words; empty where it does not. Names and times of files
// may differ: they may have been moved, or copied.
std::string DifferenceOf(const DataStamp& expected, const DataStamp& found);

}  // namespace rhohat
