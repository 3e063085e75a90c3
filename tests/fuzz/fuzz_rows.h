// What the fuzz targets of row sources share: bytes as a file, and a pass over its rows.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>

#include "data/row_source.h"
#include "rhohat/error.h"

namespace rhohat {

// The path of a file in memory with these bytes; the same path each time.
inline std::string FileOf(const uint8_t* data, size_t size) {
  static const int descriptor = ::memfd_create("fuzz", MFD_CLOEXEC);
  if (::ftruncate(descriptor, 0) != 0 ||
      ::pwrite(descriptor, data, size, 0) != static_cast<ssize_t>(size)) {
    std::abort();
  }
  return "/proc/self/fd/" + std::to_string(descriptor);
}

// Opens and reads, in blocks of three rows and within bounds of time and memory. Anything but an
// Error is a finding.
inline void ReadSome(const std::function<std::unique_ptr<RowSource>()>& open) {
  constexpr int64_t kMostRows = 1000;
  constexpr size_t kMostBytes = size_t{64} << 20;
  try {
    const std::unique_ptr<RowSource> source = open();
    RawRows raw;
    for (int64_t begin = 0; begin < std::min(source->rows(), kMostRows); begin += 3) {
      const RowRange range{begin, std::min(begin + 3, source->rows())};
      if (source->MaxRawBytes(range.size()) > kMostBytes) return;
      FetchAndUnpack(*source, range, raw);
      if (raw.bytes.size() > source->MaxRawBytes(range.size())) std::abort();
      volatile unsigned sum = 0;  // touches every byte
      for (const RawRows::Piece& piece : raw.pieces) {
        const size_t bytes = static_cast<size_t>(piece.columns) * ElementBytes(piece.type);
        for (int64_t row = 0; row < piece.rows; ++row) {
          const std::byte* const at = piece.data + static_cast<size_t>(row) * piece.row_stride;
          for (size_t i = 0; i < bytes; ++i) sum = sum + std::to_integer<unsigned>(at[i]);
        }
      }
    }
  } catch (const Error&) {
  }
}

}  // namespace rhohat
