// Numbers without a header, as array.tofile() or fwrite() leave them: rows one after another.
#pragma once

#include <cstdint>
#include <memory>

#include "data/element_type.h"
#include "data/row_source.h"
#include "formats/byte_stream.h"

namespace rhohat {

// What only the user can know.
struct RawOptions {
  ElementType type;
  int64_t columns = 0;
  int64_t offset = 0;  // bytes before the first row
};

// `stream` stands at its first byte. How many rows there are follows from its size; gzipped files
// are unpacked once to learn it. Throws Error(kUsage) where the options cannot be; Error(kBadData)
// where there is no row, or the last one is incomplete.
std::unique_ptr<RowSource> OpenRaw(std::unique_ptr<ByteStream> stream, const RawOptions& options);

}  // namespace rhohat
