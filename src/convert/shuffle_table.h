// What a shuffle knows of the rows before it reads one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "convert/shuffle_run.h"
#include "data/data_set.h"
#include "data/hdf5_writer.h"
#include "rhohat/output.h"

namespace rhohat {

struct ShuffleTable {
  int64_t rows = 0;
  int64_t columns = 0;
  ElementType type;  // of the output
  size_t row_bytes = 0;
  int64_t block_rows = 1;
  uint64_t fixed_bytes = 0;  // memory beside buffers and buckets
  std::string dataset;
};

// Throws Error(kBadData) where HDF5 cannot hold such rows in a chunk.
ShuffleTable TableOf(const DataSet& data, const OutputOptions& output, const ShuffleTuning& tuning);

// How the output is written.
Hdf5WriterOptions WriterOptions(const OutputOptions& output, const ShuffleTable& table);

}  // namespace rhohat
