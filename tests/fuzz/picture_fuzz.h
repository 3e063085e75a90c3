// What the fuzz targets of pictures share: a file's bytes read as a picture and as patches of it.
// The first byte of an input chooses how to read, the others are the file.
#pragma once

#include <cstdint>
#include <span>

#include "formats/patch_source.h"
#include "formats/picture_source.h"
#include "tests/fuzz/fuzz_rows.h"

namespace rhohat {

inline void ReadAsPicture(uint8_t choice, std::span<const uint8_t> bytes) {
  const auto color = static_cast<PictureColor>(choice % 3);
  const PictureLimits limits = {.most_pixels = int64_t{1} << 20, .most_bytes = uint64_t{32} << 20};
  const std::string path = FileOf(bytes.data(), bytes.size());
  ReadSome([&] { return OpenPictures({path, path}, {.color = color, .limits = limits}); });
  ReadSome([&] {
    return OpenPatches({path},
                       {.height = 2, .width = 3, .count = 20, .color = color, .limits = limits});
  });
}

}  // namespace rhohat
