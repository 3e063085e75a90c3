// How inputs of foreign formats are read.
#pragma once

#include <cstdint>
#include <string>

#include "rhohat/options.h"

namespace rhohat {

// What does not concern the format of an input must be left as it is.
struct InputOptions {
  // "auto" tells the format of each file by its content; else "hdf5", "npy", "npz", "csv", "idx",
  // "picture", "safetensors", "matlab", or "raw", which has no content to be told by.
  std::string format = "auto";
  // The array, tensor, variable or data set to take where a file holds several.
  std::string array;
  // HDF5: look into other files that links, storage and virtual data sets lead to.
  bool follow_external = false;
  Reader reader = Reader::kAuto;

  // CSV.
  std::string delimiter;          // empty: found out; "comma", "tab", … or one character
  std::string header = "auto";    // "auto", "yes", "no"
  std::string missing = "error";  // "error", "nan", "skip" (the row), or a number to put in place

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

}  // namespace rhohat
