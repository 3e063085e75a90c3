// Other formats to HDF5, and HDF5 to HDF5 in another layout.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rhohat/observer.h"
#include "rhohat/options.h"
#include "rhohat/output.h"

namespace rhohat {

// How inputs are read. What does not concern the format of an input must be left as it is.
struct InputOptions {
  // "auto" tells the format of each file by its content (headerless binary cannot be told); else
  // one of "hdf5", "npy", "npz", "csv", "idx", "picture", "safetensors", "matlab", "raw".
  std::string format = "auto";
  // The array, tensor, variable or data set to take where a file holds several.
  std::string array;
  // HDF5: look into other files that links, storage and virtual data sets lead to.
  bool follow_external = false;
  Reader reader = Reader::kAuto;

  // CSV.
  std::string delimiter;         // empty: found out; "comma", "tab", … or one character
  std::string header = "auto";   // "auto", "yes", "no"
  std::string missing = "error"; // "error", "nan", "skip" (the row), or a number to put in place

  // Pictures.
  std::string color = "as-stored";  // or "grey", "rgb"
  std::string patch;                // "8x8": random patches of this size in place of pictures
  int64_t count = 0;                // of patches
  int64_t seed = 1;                 // of their places

  // Headerless binary.
  std::string input_dtype;  // type of the elements; empty: the output's
  int64_t columns = 0;      // elements in a row
  int64_t offset = 0;       // bytes before the first row
};

struct ConvertOptions {
  // Files, folders of pictures, and patterns such as "part*.npy", which stand for the matching
  // files in natural order (part2 before part10). All make one data set, in this order.
  std::vector<std::string> inputs;
  InputOptions input;
  OutputOptions output;
  // Type of the output's elements: "float32", "uint8", …; empty keeps the input's type, or is
  // float32 where `scale` is given or the input is text.
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
