// PNG files built chunk by chunk, and JPEG files written with libjpeg, for tests.
#pragma once

#include <gtest/gtest.h>
#include <png.h>
#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
// libjpeg's header needs those two before it.
#include <jpeglib.h>

#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/picture.h"
#include "tests/formats/test_files.h"

namespace rhohat {

// --- PNG ---

inline std::string BigEndian(uint32_t value) { return Stored(std::vector<uint32_t>{value}, true); }

inline std::string PngChunk(const std::string& name, const std::string& content) {
  const std::string body = name + content;
  const auto sum =
      crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
  return BigEndian(static_cast<uint32_t>(content.size())) + body +
         BigEndian(static_cast<uint32_t>(sum));
}

inline std::string Deflate(std::string_view content) {
  uLongf size = compressBound(content.size());
  std::string packed(size, '\0');
  compress2(reinterpret_cast<Bytef*>(packed.data()), &size,
            reinterpret_cast<const Bytef*>(content.data()), content.size(), 9);
  packed.resize(size);
  return packed;
}

struct PngSpec {
  uint32_t width = 0;
  uint32_t height = 0;
  int bit_depth = 8;
  int color_type = PNG_COLOR_TYPE_GRAY;
  std::string rows;         // as PNG stores them: packed, big-endian
  std::string palette;      // of red, green and blue
  std::string more_chunks;  // before the rows
  bool interlaced = false;
};

inline std::string PngHeader(const PngSpec& spec) {
  return std::string("\x89PNG\r\n\x1a\n") +
         PngChunk("IHDR", BigEndian(spec.width) + BigEndian(spec.height) +
                              static_cast<char>(spec.bit_depth) +
                              static_cast<char>(spec.color_type) + std::string(2, '\0') +
                              (spec.interlaced ? '\1' : '\0')) +
         (spec.palette.empty() ? "" : PngChunk("PLTE", spec.palette)) + spec.more_chunks;
}

// The seven passes of Adam7, for samples of whole bytes.
inline std::string Interlace(const PngSpec& spec, size_t pixel_bytes) {
  struct Pass {
    uint32_t x, y, step_x, step_y;
  };
  std::string passes;
  for (const Pass& pass : {Pass{0, 0, 8, 8},
                           {4, 0, 8, 8},
                           {0, 4, 4, 8},
                           {2, 0, 4, 4},
                           {0, 2, 2, 4},
                           {1, 0, 2, 2},
                           {0, 1, 1, 2}}) {
    for (uint32_t y = pass.y; y < spec.height && pass.x < spec.width; y += pass.step_y) {
      passes += '\0';  // no filter
      for (uint32_t x = pass.x; x < spec.width; x += pass.step_x) {
        passes += spec.rows.substr((size_t{y} * spec.width + x) * pixel_bytes, pixel_bytes);
      }
    }
  }
  return passes;
}

inline std::string PngFile(const PngSpec& spec) {
  const size_t row_bytes = spec.rows.size() / spec.height;
  std::string filtered;
  for (uint32_t y = 0; y < spec.height; ++y) {
    filtered += '\0' + spec.rows.substr(y * row_bytes, row_bytes);
  }
  if (spec.interlaced) filtered = Interlace(spec, row_bytes / spec.width);
  return PngHeader(spec) + PngChunk("IDAT", Deflate(filtered)) + PngChunk("IEND", "");
}

// --- JPEG ---

struct JpegSpec {
  uint32_t width = 0;
  uint32_t height = 0;
  int components = 1;
  J_COLOR_SPACE space = JCS_GRAYSCALE;  // of `rows`
  J_COLOR_SPACE stored = JCS_GRAYSCALE;
  std::vector<uint8_t> rows;
  int quality = 90;
  bool progressive = false;
  std::span<const jpeg_scan_info> scans;  // where they are not to be the usual ones
};

inline std::string JpegFile(const JpegSpec& spec) {
  jpeg_compress_struct cinfo = {};
  jpeg_error_mgr errors = {};
  cinfo.err = jpeg_std_error(&errors);
  jpeg_CreateCompress(&cinfo, JPEG_LIB_VERSION, sizeof(cinfo));
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&cinfo, &bytes, &size);
  cinfo.image_width = spec.width;
  cinfo.image_height = spec.height;
  cinfo.input_components = spec.components;
  cinfo.in_color_space = spec.space;
  jpeg_set_defaults(&cinfo);
  jpeg_set_colorspace(&cinfo, spec.stored);
  jpeg_set_quality(&cinfo, spec.quality, TRUE);
  if (spec.progressive) jpeg_simple_progression(&cinfo);
  if (!spec.scans.empty()) {
    cinfo.scan_info = spec.scans.data();
    cinfo.num_scans = static_cast<int>(spec.scans.size());
  }
  jpeg_start_compress(&cinfo, TRUE);
  const size_t stride = size_t{spec.width} * static_cast<size_t>(spec.components);
  for (uint32_t y = 0; y < spec.height; ++y) {
    auto* row = const_cast<JSAMPROW>(spec.rows.data() + y * stride);
    jpeg_write_scanlines(&cinfo, &row, 1);
  }
  jpeg_finish_compress(&cinfo);
  std::string file(reinterpret_cast<const char*>(bytes), size);
  jpeg_destroy_compress(&cinfo);
  std::free(bytes);
  return file;
}

// Waves in all components, and so something for each coefficient.
inline std::vector<uint8_t> WavyRows(uint32_t width, uint32_t height, uint32_t components) {
  std::vector<uint8_t> rows;
  for (uint32_t y = 0; y < height; ++y) {
    for (uint32_t x = 0; x < width; ++x) {
      for (uint32_t c = 0; c < components; ++c) {
        rows.push_back(static_cast<uint8_t>((x * (5 + 3 * c) + y * (11 - 4 * c) + x * y) % 256));
      }
    }
  }
  return rows;
}

inline JpegSpec WavyJpeg(uint32_t width, uint32_t height, bool colored) {
  const int components = colored ? 3 : 1;
  return {.width = width,
          .height = height,
          .components = components,
          .space = colored ? JCS_RGB : JCS_GRAYSCALE,
          .stored = colored ? JCS_YCbCr : JCS_GRAYSCALE,
          .rows = WavyRows(width, height, static_cast<uint32_t>(components))};
}

// --- both ---

struct DecodedPicture {
  PictureShape shape;
  AlignedBuffer<std::byte> pixels;
};

inline DecodedPicture ReadFromMemory(const std::string& name, std::string_view bytes,
                                     PictureColor color, const PictureLimits& limits) {
  PictureInput input(name, std::as_bytes(std::span(bytes)));
  const std::unique_ptr<PictureDecoder> decoder = OpenPicture(input, color, limits);
  DecodedPicture picture = {decoder->shape(),
                            AlignedBuffer<std::byte>(PictureBytes(decoder->shape()))};
  decoder->ReadPixels(picture.pixels.data());
  return picture;
}

// Looks at the header only, and sets no limits.
inline PictureShape ReadPictureShape(const std::string& path, PictureColor color) {
  constexpr PictureLimits kNone = {.most_pixels = std::numeric_limits<int64_t>::max(),
                                   .most_bytes = std::numeric_limits<uint64_t>::max()};
  PictureInput input(path);
  return OpenPicture(input, color, kNone)->shape();
}

inline void ReadPicture(const std::string& path, PictureColor color, const PictureLimits& limits,
                        DecodedPicture& out) {
  PictureInput input(path);
  const std::unique_ptr<PictureDecoder> decoder = OpenPicture(input, color, limits);
  out.shape = decoder->shape();
  const size_t bytes = PictureBytes(out.shape);
  if (out.pixels.size() != bytes) out.pixels = AlignedBuffer<std::byte>(bytes);
  decoder->ReadPixels(out.pixels.data());
}

// Decoded pixels as T, which must be the picture's own type.
template <class T>
std::vector<T> Samples(const DecodedPicture& picture) {
  EXPECT_EQ(ElementBytes(picture.shape.type), sizeof(T));
  const T* const first = reinterpret_cast<const T*>(picture.pixels.data());
  return {first, first + PictureElements(picture.shape)};
}

// Gives `read` the file with each of its bytes damaged in some ways; whatever it throws must be
// an Error of damage.
inline void ExpectDamageIsToldOrHarmless(
    const std::string& whole, const std::function<void(const std::string& bytes)>& read) {
  for (size_t i = 0; i < whole.size(); ++i) {
    for (const int change : {1, 0x80, 0xFF}) {
      std::string damaged = whole;
      damaged[i] = static_cast<char>(damaged[i] ^ change);
      try {
        read(damaged);
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kBadData) << error.what();
      }
    }
  }
}

}  // namespace rhohat
