// Other formats to HDF5, and HDF5 to HDF5 in another layout.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rhohat/input.h"
#include "rhohat/observer.h"
#include "rhohat/options.h"
#include "rhohat/output.h"

namespace rhohat {

struct ConvertOptions {
  // Files, folders of pictures, and patterns such as "part*.npy", which stand for the matching
  // files in natural order (part2 before part10). All make one data set, in this order.
  std::vector<std::string> inputs;
  InputOptions input;
  OutputOptions output;
  // Type of the output's elements: "float32", "uint8", …; empty keeps the inputs' type, or is
  // float32 where `scale` is given; text is float64.
  std::string dtype;
  // Every value is multiplied by this; 0 for not at all.
  double scale = 0;
  // Values out of the type's range become its nearest value; else they are an error.
  bool clip = false;
  // "BEGIN:END", the rows to take of all inputs together; either may be left out.
  std::string rows;
  // Columns to take: numbers, ranges "3-7" and, of CSV files, names, with commas between.
  std::string use_columns;
  ResourceOptions resources;
};

struct ConvertResult {
  int64_t rows = 0;
  int64_t columns = 0;
  std::string type;
  uint64_t bytes_read = 0;     // of the inputs, as they are stored
  uint64_t bytes_written = 0;  // size of the file
};

// Streams the inputs, so that memory does not grow with them. The output appears whole or not at
// all.
ConvertResult Convert(const ConvertOptions& options, const RunControl& control);

}  // namespace rhohat
