// How a new HDF5 file of rows is laid out: what convert, shuffle and synth have in common.
#pragma once

#include <cstdint>
#include <string>

namespace rhohat {

struct OutputOptions {
  std::string path;
  std::string dataset = "data";  // name of the data set in the file
  // Rows in a chunk; 0 makes chunks of about 1 MiB.
  int64_t chunk_rows = 0;
  // "none", "gzip:N", "zstd:N", "lz4"; N may be left out.
  std::string compress = "none";
  // Sort the bytes of a chunk by significance before they are compressed.
  bool shuffle_bytes = false;
  // fletcher32 on every chunk, so that a damaged disk block is an error and not a wrong number.
  bool checksum = true;
  // Replace a file that exists.
  bool force = false;
};

}  // namespace rhohat
