#include "formats/picture.h"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/units.h"
#include "formats/jpeg_reader.h"
#include "formats/png_reader.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

constexpr size_t kBufferBytes = size_t{32} << 10;
constexpr std::string_view kPngMagic = "\x89PNG\r\n\x1a\n";
constexpr std::string_view kJpegMagic = "\xff\xd8\xff";

bool StartsWith(std::span<const std::byte> bytes, std::string_view magic) {
  const auto wanted = std::as_bytes(std::span(magic));
  return bytes.size() >= wanted.size() && std::equal(wanted.begin(), wanted.end(), bytes.begin());
}

template <class T>
void Grey(int64_t width, const T* rgb, T* grey) {
  constexpr uint32_t kRed = 19595;
  constexpr uint32_t kGreen = 38470;
  constexpr uint32_t kBlue = 7471;  // the three are 65536 in all
  for (int64_t x = 0; x < width; ++x, rgb += 3) {
    grey[x] = static_cast<T>((kRed * rgb[0] + kGreen * rgb[1] + kBlue * rgb[2] + (1U << 15)) >> 16);
  }
}

template <class T>
void Replicate(int64_t width, const T* grey, T* rgb) {
  for (int64_t x = 0; x < width; ++x, rgb += 3) rgb[0] = rgb[1] = rgb[2] = grey[x];
}

template <class T>
void ConvertAs(int64_t width, int64_t from_channels, const std::byte* from, std::byte* to) {
  const T* const in = reinterpret_cast<const T*>(from);
  T* const out = reinterpret_cast<T*>(to);
  if (from_channels == 3) {
    Grey(width, in, out);
  } else {
    Replicate(width, in, out);
  }
}

}  // namespace

int64_t PictureElements(const PictureShape& shape) {
  return shape.height * shape.width * shape.channels;
}

size_t PictureBytes(const PictureShape& shape) {
  return static_cast<size_t>(PictureElements(shape)) * ElementBytes(shape.type);
}

std::string DescribeShape(const PictureShape& shape) {
  return fmt::format("{} × {} × {} of {}", shape.height, shape.width, shape.channels,
                     ElementName(shape.type));
}

PictureInput::PictureInput(const std::string& path)
    : path_(path), stream_(std::make_unique<FileStream>(path)), buffer_(kBufferBytes) {
  if (!stream_->gzipped()) return;
  throw Error(ErrorKind::kBadData,
              fmt::format("{}: expected a PNG or JPEG picture, found gzip; unpack it first", path));
}

PictureInput::PictureInput(std::string path, std::span<const std::byte> bytes)
    : path_(std::move(path)), next_(bytes) {}

std::span<const std::byte> PictureInput::Next() {
  if (next_.empty() && stream_) next_ = buffer_.span().first(stream_->Read(buffer_.span()));
  return next_;
}

std::unique_ptr<PictureDecoder> OpenPicture(PictureInput& input, PictureColor color,
                                            const PictureLimits& limits) {
  const std::span<const std::byte> first_bytes = input.Next();
  if (StartsWith(first_bytes, kPngMagic)) return OpenPng(input, color, limits);
  if (StartsWith(first_bytes, kJpegMagic)) return OpenJpeg(input, color, limits);
  throw Error(ErrorKind::kBadData,
              fmt::format("{}: expected a PNG or JPEG picture, found {}", input.path(),
                          first_bytes.empty() ? "an empty file" : "other first bytes"));
}

bool LooksLikePicture(std::span<const std::byte> first_bytes) {
  return StartsWith(first_bytes, kPngMagic) || StartsWith(first_bytes, kJpegMagic);
}

void CheckPictureLimits(const PictureLimits& limits, const PictureShape& shape, size_t work_bytes,
                        const std::string& path) {
  if (shape.height > limits.most_pixels / shape.width) {
    throw Error(ErrorKind::kBadData,
                fmt::format("{}: expected a picture of at most {} pixels, found {} × {} in its "
                            "header",
                            path, limits.most_pixels, shape.height, shape.width));
  }
  const uint64_t bytes = PictureBytes(shape) + work_bytes;
  if (bytes > limits.most_bytes) {
    throw Error(ErrorKind::kBadData,
                fmt::format("{}: expected a picture that takes at most {} to decode, found {} that "
                            "take {}",
                            path, FormatBytes(limits.most_bytes), DescribeShape(shape),
                            FormatBytes(bytes)));
  }
}

void ConvertChannels(ElementType type, int64_t width, int64_t from_channels, const std::byte* from,
                     std::byte* to) {
  if (ElementBytes(type) == 2) {
    ConvertAs<uint16_t>(width, from_channels, from, to);
  } else {
    ConvertAs<uint8_t>(width, from_channels, from, to);
  }
}

}  // namespace rhohat
