// MATLAB 5 files, which MATLAB saves as -v6 and, compressed, as -v7: a header of 128 bytes, then
// one element for each variable, which is an array or an array in zlib's format.
//
// An array is a sequence of elements in turn: flags, axes, name, numbers. Each begins with a tag,
// of its type and its size; the file says whether they are big- or little-endian. The numbers may
// be of a smaller type than the array's, where they fit in it: MATLAB keeps whole doubles as bytes.
//
// Only what comes before the numbers is read here, and no size is believed: a struct or a cell is
// not looked into at all. (libmatio, which reads such files, was tried: it asks for tens of GiB on
// the word of a damaged file of some hundred bytes, and inflates an array from its start for every
// part of it.)
#pragma once

#include <cstdint>
#include <vector>

#include "base/input_file.h"
#include "data/element_type.h"
#include "formats/matlab_array.h"
#include "formats/matlab_bytes.h"

namespace rhohat {

struct Matlab5Array {
  MatlabBytes::Place element;  // of the array, from its tag on
  MatlabArray array;
  // Of arrays of numbers: how they are stored, and where in the element's bytes, inflated.
  ElementType stored;
  uint64_t numbers_offset = 0;
  uint64_t numbers_bytes = 0;
  uint64_t element_end = 0;
};

// All arrays of a file, in its order. Throws Error(kBadData) where it is damaged, Error(kIo) where
// it cannot be read.
std::vector<Matlab5Array> ListMatlab5(const InputFile& file);

}  // namespace rhohat
