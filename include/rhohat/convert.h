// Other formats to HDF5.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rhohat/observer.h"

namespace rhohat {

struct ConvertOptions {
  // IDX, gzipped IDX or NumPy .npy files; several make one data set, in this order.
  std::vector<std::string> inputs;
  std::string output;
  std::string dataset = "data";  // name of the data set in the output
  // Type of the output's elements: "float32", "uint8", …; empty keeps the input's type, or is
  // float32 where `scale` is given.
  std::string dtype;
  // Every value is multiplied by this; 0 for not at all.
  double scale = 0;
  // Rows in a chunk of the output; 0 makes chunks of about 1 MiB.
  int64_t chunk_rows = 0;
  bool overwrite = false;  // replace an output that exists
};

struct ConvertResult {
  int64_t rows = 0;
  int64_t columns = 0;
  std::string type;
  uint64_t bytes_written = 0;
};

// Streams the inputs, so that memory does not grow with them. The output appears whole or not at
// all.
ConvertResult Convert(const ConvertOptions& options, const RunControl& control);

}  // namespace rhohat
