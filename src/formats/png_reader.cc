#include "formats/png_reader.h"

#include <fmt/core.h>
#include <png.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <exception>
#include <new>

#include "rhohat/error.h"

namespace rhohat {
namespace {

// libpng's own state and buffers, zlib's, and the input's.
constexpr size_t kFixedBytes = size_t{192} << 10;
// Chunks other than the picture's data; most are skipped, whatever their length.
constexpr png_alloc_size_t kMostChunkBytes = png_alloc_size_t{16} << 20;
constexpr int kMostColors = 256;

// What the functions that libpng calls work on. It jumps over their frames, so they hold nothing
// that would need to be destroyed.
struct Session {
  explicit Session(PictureInput& picture) : input(picture) {}

  // False where the input ends early or fails.
  bool Read(png_bytep out, size_t size) noexcept {
    try {
      while (size > 0) {
        const std::span<const std::byte> next = input.Next();
        if (next.empty()) return false;
        const size_t count = std::min(size, next.size());
        std::memcpy(out, next.data(), count);
        input.Skip(count);
        out += count;
        size -= count;
      }
      return true;
    } catch (...) {
      failure = std::current_exception();
      return false;
    }
  }

  PictureInput& input;
  std::exception_ptr failure;  // of the input
  std::array<char, 128> message = {};
};

void ReadBytes(png_structp png, png_bytep out, size_t size) {
  auto* const session = static_cast<Session*>(png_get_io_ptr(png));
  if (!session->Read(out, size)) png_error(png, "the file is cut short");
}

[[noreturn]] void OnError(png_structp png, png_const_charp message) {
  auto* const session = static_cast<Session*>(png_get_error_ptr(png));
  std::snprintf(session->message.data(), session->message.size(), "%s", message);
  png_longjmp(png, 1);
}

// Faults that matter are errors; see Configure().
void OnWarning(png_structp /*png*/, png_const_charp /*message*/) {}

// Runs `step`, and returns whether libpng came back from it: the one place that it jumps to. Where
// `step` calls libpng it must hold nothing with a destructor.
template <class Step>
[[gnu::noinline]] bool Returns(png_structp png, const Step& step) {
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  step();
  return true;
}

class PngDecoder final : public PictureDecoder {
 public:
  PngDecoder(PictureInput& input, PictureColor color, const PictureLimits& limits)
      : session_(input) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, &session_, OnError, OnWarning);
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
    try {
      if (info_ == nullptr) throw std::bad_alloc();
      ReadHeader(color);
      CheckPictureLimits(limits, shape_, work_bytes_, session_.input.path());
    } catch (...) {
      Destroy();
      throw;
    }
  }
  ~PngDecoder() override { Destroy(); }
  PngDecoder(const PngDecoder&) = delete;
  PngDecoder& operator=(const PngDecoder&) = delete;

  void ReadPixels(std::byte* out) override {
    const auto row_bytes = PictureBytes(shape_) / static_cast<size_t>(shape_.height);
    if (!converts_) {
      ReadRows(out, row_bytes, [](int64_t) {});
      return;
    }
    // An interlaced picture is complete after the last pass only, so it is converted as a whole.
    AlignedBuffer<std::byte> stored(StagedRows() * stored_row_bytes_);
    const auto convert = [&](int64_t row) {
      const auto y = static_cast<size_t>(row);
      ConvertRow(stored.data() + (interlaced_ ? y * stored_row_bytes_ : 0), out + y * row_bytes);
    };
    ReadRows(stored.data(), interlaced_ ? stored_row_bytes_ : 0, convert);
  }

 private:
  void Destroy() { png_destroy_read_struct(&png_, &info_, nullptr); }

  [[noreturn]] void ThrowDamaged() const {
    if (session_.failure) std::rethrow_exception(session_.failure);
    throw Error(ErrorKind::kBadData, fmt::format("{}: expected a PNG picture, found damage: {}",
                                                 session_.input.path(), session_.message.data()));
  }

  void Configure() const {
    png_set_read_fn(png_, const_cast<Session*>(&session_), ReadBytes);
    png_set_crc_action(png_, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    // What libpng could live with, such as a wrong checksum of the samples, is an error too.
    png_set_benign_errors(png_, 0);
    png_set_chunk_malloc_max(png_, kMostChunkBytes);
    // Texts, profiles and all else that does not change samples is skipped unseen.
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
  }

  void ReadHeader(PictureColor color) {
    const bool done = Returns(png_, [this] {
      Configure();
      png_read_info(png_, info_);
    });
    if (!done) ThrowDamaged();
    const int color_type = png_get_color_type(png_, info_);
    const bool transparent =
        (color_type & PNG_COLOR_MASK_ALPHA) != 0 || png_get_valid(png_, info_, PNG_INFO_tRNS) != 0;
    if (transparent && color == PictureColor::kAsStored) {
      throw Error(ErrorKind::kBadData,
                  fmt::format("{}: expected a picture without transparency, found one with it; "
                              "--color rgb or --color grey drops it",
                              session_.input.path()));
    }
    if (color_type == PNG_COLOR_TYPE_PALETTE) CopyPalette();
    SetShape(color, (color_type & PNG_COLOR_MASK_COLOR) != 0);
  }

  void CopyPalette() {
    png_colorp colors = nullptr;
    png_get_PLTE(png_, info_, &colors, &palette_size_);
    palette_size_ = std::min(palette_size_, kMostColors);
    std::copy_n(colors, palette_size_, palette_.begin());
  }

  void SetShape(PictureColor color, bool colored) {
    const bool wide = png_get_bit_depth(png_, info_) == 16;
    shape_.height = png_get_image_height(png_, info_);
    shape_.width = png_get_image_width(png_, info_);
    shape_.type = {wide ? ElementKind::kUint16 : ElementKind::kUint8, false};
    stored_channels_ = colored && palette_size_ == 0 ? 3 : 1;
    shape_.channels = colored ? 3 : 1;
    if (color == PictureColor::kGrey) shape_.channels = 1;
    if (color == PictureColor::kRgb) shape_.channels = 3;
    converts_ = palette_size_ > 0 || stored_channels_ != shape_.channels;
    interlaced_ = png_get_interlace_type(png_, info_) != PNG_INTERLACE_NONE;
    stored_row_bytes_ = static_cast<size_t>(shape_.width * stored_channels_) * (wide ? 2 : 1);
    // libpng keeps two rows of at most eight bytes a pixel.
    work_bytes_ = kFixedBytes + static_cast<size_t>(shape_.width) * 16 +
                  (converts_ ? StagedRows() * stored_row_bytes_ : 0);
  }

  size_t StagedRows() const { return interlaced_ ? static_cast<size_t>(shape_.height) : 1; }

  // What libpng shall do to samples: one or two whole bytes each, no transparency.
  int StartRows() const {
    const int depth = png_get_bit_depth(png_, info_);
    if (depth == 16) png_set_swap(png_);
    if (depth < 8 && palette_size_ > 0) png_set_packing(png_);
    if (depth < 8 && palette_size_ == 0) png_set_expand_gray_1_2_4_to_8(png_);
    png_set_strip_alpha(png_);
    const int passes = png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    if (png_get_rowbytes(png_, info_) != stored_row_bytes_) png_error(png_, "rows of other sizes");
    return passes;
  }

  // Row y goes to out + y × stride; `finish(y)` is called once it is complete.
  template <class Finish>
  void ReadRows(std::byte* out, size_t stride, const Finish& finish) {
    const bool done = Returns(png_, [&] {
      const int passes = StartRows();
      for (int pass = 0; pass < passes; ++pass) {
        for (int64_t y = 0; y < shape_.height; ++y) {
          png_read_row(png_, reinterpret_cast<png_bytep>(out + static_cast<size_t>(y) * stride),
                       nullptr);
          if (pass == passes - 1) finish(y);
        }
      }
      png_read_end(png_, nullptr);
    });
    if (!done) ThrowDamaged();
  }

  void ConvertRow(const std::byte* stored, std::byte* out) const {
    if (palette_size_ == 0) {
      ConvertChannels(shape_.type, shape_.width, stored_channels_, stored, out);
      return;
    }
    for (int64_t x = 0; x < shape_.width; ++x, out += shape_.channels) {
      const auto index = std::to_integer<size_t>(stored[x]);
      if (index >= static_cast<size_t>(palette_size_)) ThrowNoColor(index);
      const png_color& color = palette_[index];
      const std::array<std::byte, 3> rgb = {std::byte{color.red}, std::byte{color.green},
                                            std::byte{color.blue}};
      if (shape_.channels == 3) {
        std::copy(rgb.begin(), rgb.end(), out);
      } else {
        ConvertChannels(shape_.type, 1, 3, rgb.data(), out);
      }
    }
  }

  [[noreturn]] void ThrowNoColor(size_t index) const {
    throw Error(ErrorKind::kBadData,
                fmt::format("{}: expected pixels of the {} colours in its palette, found colour {}",
                            session_.input.path(), palette_size_, index));
  }

  Session session_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  std::array<png_color, kMostColors> palette_ = {};
  int palette_size_ = 0;  // 0 where there is none
  int64_t stored_channels_ = 1;
  size_t stored_row_bytes_ = 0;  // as libpng hands them over
  bool interlaced_ = false;
  bool converts_ = false;
};

}  // namespace

std::unique_ptr<PictureDecoder> OpenPng(PictureInput& input, PictureColor color,
                                        const PictureLimits& limits) {
  return std::make_unique<PngDecoder>(input, color, limits);
}

}  // namespace rhohat
