#include "analyze/png_writer.h"

#include <fmt/core.h>
#include <png.h>

#include <array>
#include <cstddef>
#include <fstream>
#include <string_view>

#include "base/atomic_file.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

void CheckPicture(const Picture& picture, const std::string& path) {
  const bool sides = picture.width >= 1 && picture.width <= kMostPixelsPerSide &&
                     picture.height >= 1 && picture.height <= kMostPixelsPerSide;
  const bool channels = picture.channels == 1 || picture.channels == 3;
  if (sides && channels &&
      static_cast<int64_t>(picture.pixels.size()) ==
          picture.width * picture.height * picture.channels) {
    return;
  }
  throw Error(ErrorKind::kInternal,
              fmt::format("{}: a picture of {}×{}×{} with {} values", path, picture.height,
                          picture.width, picture.channels, picture.pixels.size()));
}

// libpng's simplified interface: it reports errors by value, where the classic one jumps.
std::vector<std::byte> EncodePng(const Picture& picture, const std::string& path) {
  png_image image = {};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(picture.width);
  image.height = static_cast<png_uint_32>(picture.height);
  image.format = picture.channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  std::vector<std::byte> encoded(size);
  const int done = png_image_write_to_memory(&image, encoded.data(), &size, 0,
                                             picture.pixels.data(), 0, nullptr);
  if (done == 0) {
    const std::string message = image.message;
    png_image_free(&image);
    throw Error(ErrorKind::kIo, fmt::format("{}: cannot encode the picture: {}", path, message));
  }
  encoded.resize(size);
  return encoded;
}

}  // namespace

bool IsPng(const std::string& path) {
  std::array<char, 8> start = {};
  std::ifstream(path, std::ios::binary).read(start.data(), start.size());
  return std::string_view(start.data(), start.size()) == "\x89PNG\r\n\x1a\n";
}

void WritePng(const Picture& picture, const std::string& path) {
  CheckPicture(picture, path);
  CheckCreatable(path);
  const std::vector<std::byte> encoded = EncodePng(picture, path);
  AtomicFile file(path);
  file.Write(encoded);
  file.Commit();
}

}  // namespace rhohat
