// What an HDF5 data set says of itself: its shape, its type, how its rows are stored.
//
// Here damaged files and those that cannot be read rightly are refused, before a row is read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/element_type.h"
#include "data/filter_pipeline.h"
#include "data/hdf5_handle.h"

namespace rhohat {

// What is known of a data set without reading a row.
struct Hdf5DataSetInfo {
  std::string file;     // as it was given
  std::string dataset;  // path inside the file
  std::vector<int64_t> shape;
  int64_t rows = 0;
  int64_t columns = 0;               // product of the trailing axes
  ElementType element;               // what arrives in memory
  std::string layout;                // "contiguous", "chunked", "compact" or "virtual"
  std::vector<int64_t> chunk;        // empty unless chunked
  std::vector<std::string> filters;  // "gzip:1", "shuffle", …, in the order of writing
  uint64_t stored_bytes = 0;         // of the data set in the file, after compression
  uint64_t file_bytes = 0;
  int64_t modified_nanoseconds = 0;  // of the file, since 1970

  // Why only the library can read the rows; empty where we can do so ourselves (direct_reader.h).
  std::string library_reason;
  std::vector<ChunkFilter> pipeline;          // the filters, where library_reason is empty
  bool edges_unfiltered = false;              // chunks that reach over the edge have no filters
  std::optional<uint64_t> contiguous_offset;  // of contiguous rows in the file; none: never written
  std::vector<std::byte> fill_value;          // what unwritten elements hold
  bool leaves_unwritten = false;              // the library does not fill in unwritten rows

  // Memory that the library holds on to while it reads: the chunks that a range of rows can cut,
  // decompressed.
  size_t reader_bytes = 0;

  // Of the chunks that hold one row, which the library keeps decompressed: a range of rows that
  // begins inside a chunk finds it there. 0 where it need not.
  size_t band_bytes = 0;

  std::string where() const { return file + ":" + dataset; }

  // Where it is chunked.
  int64_t ChunksAlong(size_t axis) const;
  int64_t ChunksInRow() const;
  size_t ChunkBytes() const;
};

// Fills in all but the names, which are given: of the data set `dataset`, reached from the open
// file `file`, as elements of `memory_type`, which is the library's for info.element and is the
// stored one unless `converted`. Throws Error(kBadData). The caller holds an Hdf5Lock.
void DescribeDataSet(Hdf5Id dataset, Hdf5Id file, Hdf5Id memory_type, bool converted,
                     Hdf5DataSetInfo& info);

}  // namespace rhohat
