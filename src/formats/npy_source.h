// NumPy's .npy: one array, as numpy.save writes it.
//
// A magic string, a version, the length of a text header (npy_header.h), the header, then the
// elements, in C order or in Fortran's. The first axis counts rows, the others are flattened to
// columns in C order. Versions 1.0, 2.0 and 3.0 differ in the width of the length and in the
// encoding of the text only.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "data/row_source.h"
#include "formats/byte_stream.h"
#include "formats/npy_header.h"

namespace rhohat {

// Whether a file that starts with these bytes means to be .npy.
bool LooksLikeNpy(std::span<const std::byte> first_bytes);

// Reads the header of `stream`, which stands at its first byte. Throws Error(kBadData) where it is
// not .npy or makes no sense.
NpyHeader ReadNpyHeader(ByteStream& stream);

// `stream` stands at its first byte. Throws Error(kBadData) where it is not .npy, is damaged, or
// holds an array that is not rows of numbers. Arrays in Fortran order that are packed need a
// temporary file: without a `spool_folder` to put it into they are refused.
std::unique_ptr<RowSource> OpenNpy(std::unique_ptr<ByteStream> stream,
                                   const std::string& spool_folder = "");

}  // namespace rhohat
