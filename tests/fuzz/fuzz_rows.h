// What the fuzz targets of row sources share: bytes as a file, and passes over its rows.
//
// A target turns any bytes into rows or an Error. Everything else is a finding: a report of a
// sanitizer, another exception, too much memory or time, a source that does not keep its word.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "data/row_source.h"
#include "formats/byte_stream.h"
#include "rhohat/error.h"

namespace rhohat {

// Where arrays that lie column after column are put down while they are turned.
inline constexpr const char* kSpoolFolder = "/tmp";

// Inputs that made it through, so that a target that refuses everything is noticed (replay.cc).
inline int64_t understood = 0;

inline void Check(bool holds) {
  if (!holds) std::abort();
}

// The path of a file in memory with these bytes; the same path each time.
inline std::string FileOf(const uint8_t* data, size_t size) {
  static const int descriptor = ::memfd_create("fuzz", MFD_CLOEXEC);
  Check(::ftruncate(descriptor, 0) == 0);
  Check(::pwrite(descriptor, data, size, 0) == static_cast<ssize_t>(size));
  return "/proc/self/fd/" + std::to_string(descriptor);
}

inline std::unique_ptr<ByteStream> StreamOf(const std::string& path) {
  return std::make_unique<FileStream>(path);
}

// Of elements and where they are, however blocks cut them. Touches every byte.
inline uint64_t DigestOf(const RawRows& raw) {
  uint64_t digest = 0;
  for (const RawRows::Piece& piece : raw.pieces) {
    const size_t bytes = static_cast<size_t>(piece.columns) * ElementBytes(piece.type);
    for (int64_t row = 0; row < piece.rows; ++row) {
      auto hash = static_cast<uint64_t>(raw.range.begin + piece.first_row + row) << 32 ^
                  static_cast<uint64_t>(piece.first_column);
      const std::byte* const at = piece.data + static_cast<size_t>(row) * piece.row_stride;
      for (size_t i = 0; i < bytes; ++i) {
        hash = (hash ^ std::to_integer<uint64_t>(at[i])) * 0x100000001b3;
      }
      digest += hash;
    }
  }
  return digest;
}

// One pass over the first rows. Nothing where that would take more memory than a target has.
inline std::optional<uint64_t> ReadPass(RowSource& source, int64_t block) {
  constexpr int64_t kMostRows = 1000;
  constexpr size_t kMostBytes = size_t{16} << 20;
  const int64_t rows = std::min(source.rows(), kMostRows);
  RawRows raw;
  uint64_t digest = 0;
  for (int64_t begin = 0; begin < rows; begin += block) {
    const RowRange range{begin, std::min(begin + block, rows)};
    if (source.MaxRawBytes(range.size()) > kMostBytes) return std::nullopt;
    FetchAndUnpack(source, range, raw);
    Check(raw.bytes.size() <= source.MaxRawBytes(range.size()));
    Check(!source.Locate(begin).empty());
    digest += DigestOf(raw);
  }
  return digest;
}

// Opens, and reads twice: rows must not depend on the blocks they are read in.
inline void ReadSome(const std::function<std::unique_ptr<RowSource>()>& open,
                     int64_t small_block = 3) {
  constexpr int64_t kLargeBlock = 100;
  try {
    const std::unique_ptr<RowSource> source = open();
    Check(source->rows() > 0 && source->columns() > 0);
    const auto first = ReadPass(*source, small_block);
    const auto second = ReadPass(*source, kLargeBlock);
    Check(!first || !second || first == second);
    ++understood;
  } catch (const Error&) {
  }
}

}  // namespace rhohat
