// IDX, the format in which MNIST and its relatives are published.
//
// Two zero bytes, a byte for the type, a byte for the number of axes, then for each axis its length
// in 32 bits, then the elements; all of it big-endian. The first axis counts rows, the others are
// flattened to columns. Such files mostly come gzipped.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "data/row_source.h"
#include "formats/byte_stream.h"

namespace rhohat {

// Whether a file that starts with these bytes means to be IDX.
bool LooksLikeIdx(std::span<const std::byte> first_bytes);

// `stream` stands at its first byte. Throws Error(kBadData) where it is not IDX, is damaged, or
// holds labels and not rows.
std::unique_ptr<RowSource> OpenIdx(std::unique_ptr<ByteStream> stream);

}  // namespace rhohat
