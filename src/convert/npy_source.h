// NumPy's .npy: one array, as numpy.save writes it.
//
// A magic string, a version, the length of a text header (npy_header.h), the header, then the
// elements. The first axis counts rows, the others are flattened to columns. Versions 1.0, 2.0 and
// 3.0 differ in the width of the length and in the encoding of the text only.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "convert/byte_stream.h"
#include "data/row_source.h"

namespace rhohat {

// Whether a file that starts with these bytes means to be .npy.
bool LooksLikeNpy(std::span<const std::byte> first_bytes);

// `stream` stands at its first byte. Throws Error(kBadData) where it is not .npy, is damaged, or
// holds an array that is not rows of numbers in C order.
std::unique_ptr<RowSource> OpenNpy(std::unique_ptr<ByteStream> stream);

}  // namespace rhohat
