// The header of a NumPy .npy file: a Python dictionary, written out as text.
//
//   {'descr': '<f4', 'fortran_order': False, 'shape': (60000, 784), }
//
// Read by a small parser of exactly that and not by anything that evaluates. Dictionaries with
// other keys, or with anything but the values above, are errors.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rhohat {

struct NpyHeader {
  // "<f4"; the text of the list, "[('a', '<f4'), …]", where the type is a structure.
  std::string descr;
  bool fortran_order = false;
  std::vector<int64_t> shape;
  uint64_t bytes = 0;  // from the start of the file to its first element: see ReadNpyHeader()
};

// Throws Error(kBadData), naming `path` and the byte of the text where it stops making sense.
NpyHeader ParseNpyHeader(std::string_view text, const std::string& path);

}  // namespace rhohat
