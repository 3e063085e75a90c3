// What the fuzz targets of pictures share: a file's bytes read as a picture and as patches of it.
//
// The first byte chooses how to read, the others are the file. Built with
//   clang++ -std=c++20 -g -O1 -fsanitize=fuzzer,address,undefined -I. -Isrc -Iinclude
// from the target, src/convert/{byte_stream,picture*,patch_*,png_reader,jpeg_reader}.cc,
// src/data/{element_type,row_source}.cc, src/base/{keyed_random,text,units}.cc, and libpng,
// libjpeg, zlib and fmt.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>

#include "formats/patch_source.h"
#include "formats/picture_source.h"
#include "rhohat/error.h"

namespace rhohat {

// A file in memory, at a path of its own.
class MemoryFile {
 public:
  explicit MemoryFile(std::span<const uint8_t> bytes) : descriptor_(::memfd_create("fuzz", 0)) {
    if (descriptor_ < 0 ||
        ::write(descriptor_, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
      throw std::runtime_error("no file in memory");
    }
  }
  ~MemoryFile() { ::close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

inline void ReadInBlocks(RowSource& source) {
  constexpr int64_t kBlock = 7;
  RawRows rows;
  for (int64_t begin = 0; begin < source.rows(); begin += kBlock) {
    FetchAndUnpack(source, {begin, std::min(begin + kBlock, source.rows())}, rows);
    if (rows.bytes.size() > source.MaxRawBytes(rows.range.size())) throw std::logic_error("size");
  }
}

inline void ReadAsPicture(uint8_t choice, std::span<const uint8_t> bytes) {
  const auto color = static_cast<PictureColor>(choice % 3);
  const PictureLimits limits = {.most_pixels = int64_t{1} << 20, .most_bytes = uint64_t{32} << 20};
  const MemoryFile file(bytes);
  try {
    ReadInBlocks(*OpenPictures({file.path(), file.path()}, {.color = color, .limits = limits}));
    ReadInBlocks(*OpenPatches(
        {file.path()}, {.height = 2, .width = 3, .count = 20, .color = color, .limits = limits}));
  } catch (const Error&) {
    // Damage that is told.
  }
}

}  // namespace rhohat
