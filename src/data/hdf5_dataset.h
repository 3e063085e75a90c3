// One open data set of one HDF5 file, read by whole rows.
//
// A row is everything under one index of the first axis; further axes are flattened in C order.
// Opening refuses what cannot be read rightly or safely, with a message that says which and why.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/element_type.h"
#include "data/filter_pipeline.h"
#include "data/hdf5_handle.h"
#include "data/row_source.h"

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

  std::string where() const { return file + ":" + dataset; }
};

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

// A name and what it is, of each data set in an HDF5 file: "/images: 10000×28×28 float32".
struct Hdf5CatalogEntry {
  std::string path;
  std::string description;
  bool has_rows = false;     // numbers on two axes or more
  bool is_external = false;  // a link into another file; what is there is not known
};

// All data sets reached without leaving the file. Throws as Hdf5DataSet::Open does.
std::vector<Hdf5CatalogEntry> ListDataSets(const std::string& file);

}  // namespace rhohat
