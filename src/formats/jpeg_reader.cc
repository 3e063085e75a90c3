#include "formats/jpeg_reader.h"

#include <fmt/core.h>

// libjpeg's header needs these before it.
#include <cstddef>
#include <cstdio>
// and then comes
#include <jpeglib.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <exception>
#include <limits>

#include "rhohat/error.h"

namespace rhohat {
namespace {

// Real pictures have about ten. A file of a few bytes a scan can have any number, and each goes
// over all coefficients.
constexpr int kMostScans = 500;
// libjpeg's own state and tables, and the input's buffer.
constexpr size_t kFixedBytes = size_t{512} << 10;
// Rows of each component that are held while they are upsampled and converted.
constexpr size_t kRowsInWork = 64;
constexpr size_t kCoefficientBlockBytes = sizeof(JCOEF) * DCTSIZE2;

// What the functions that libjpeg calls work on. It is left by a jump over their frames, so they
// hold nothing that would need to be destroyed.
struct Session {
  explicit Session(PictureInput& picture) : input(picture) {}

  PictureInput& input;
  std::exception_ptr failure;  // of the input
  std::array<char, JMSG_LENGTH_MAX> message = {};
  std::jmp_buf target = {};
};

Session& SessionOf(j_common_ptr cinfo) { return *static_cast<Session*>(cinfo->client_data); }

[[noreturn]] void Leave(j_common_ptr cinfo, const char* why) {
  Session& session = SessionOf(cinfo);
  std::snprintf(session.message.data(), session.message.size(), "%s", why);
  std::longjmp(session.target, 1);
}

[[noreturn]] void OnError(j_common_ptr cinfo) {
  Session& session = SessionOf(cinfo);
  cinfo->err->format_message(cinfo, session.message.data());
  std::longjmp(session.target, 1);
}

// Level −1 is damage that libjpeg would paper over; others only inform.
void OnMessage(j_common_ptr cinfo, int level) {
  if (level < 0) OnError(cinfo);
}

void OnProgress(j_common_ptr cinfo) {
  const auto* const decoder = reinterpret_cast<j_decompress_ptr>(cinfo);
  if (decoder->input_scan_number > kMostScans) Leave(cinfo, "it has more than 500 scans");
}

void DoNothing(j_decompress_ptr /*cinfo*/) {}

// The bytes that come next, all consumed; empty at the end or where the input fails.
std::span<const std::byte> TakeNext(Session& session) noexcept {
  try {
    const std::span<const std::byte> next = session.input.Next();
    session.input.Skip(next.size());
    return next;
  } catch (...) {
    session.failure = std::current_exception();
    return {};
  }
}

boolean Refill(j_decompress_ptr cinfo) {
  const auto common = reinterpret_cast<j_common_ptr>(cinfo);
  const std::span<const std::byte> next = TakeNext(SessionOf(common));
  if (next.empty()) Leave(common, "the file is cut short");
  cinfo->src->next_input_byte = reinterpret_cast<const JOCTET*>(next.data());
  cinfo->src->bytes_in_buffer = next.size();
  return TRUE;
}

void SkipBytes(j_decompress_ptr cinfo, long count) {
  auto left = static_cast<size_t>(std::max(count, 0L));
  while (left > cinfo->src->bytes_in_buffer) {
    left -= cinfo->src->bytes_in_buffer;
    Refill(cinfo);
  }
  cinfo->src->next_input_byte += left;
  cinfo->src->bytes_in_buffer -= left;
}

// Runs `step`, and returns whether libjpeg came back from it: the one place that is jumped to.
// Where `step` calls libjpeg it must hold nothing with a destructor.
template <class Step>
[[gnu::noinline]] bool Returns(Session& session, const Step& step) {
  if (setjmp(session.target) != 0) return false;
  step();
  return true;
}

class JpegDecoder final : public PictureDecoder {
 public:
  JpegDecoder(PictureInput& input, PictureColor color, const PictureLimits& limits)
      : session_(input) {
    try {
      ReadHeader(limits);
      CheckColorSpace();
      SetShape(color);
      CheckPictureLimits(limits, shape_, work_bytes_, input.path());
    } catch (...) {
      jpeg_destroy_decompress(&cinfo_);
      throw;
    }
  }
  ~JpegDecoder() override { jpeg_destroy_decompress(&cinfo_); }
  JpegDecoder(const JpegDecoder&) = delete;
  JpegDecoder& operator=(const JpegDecoder&) = delete;

  void ReadPixels(std::byte* out) override {
    AlignedBuffer<std::byte> stored(Converts() ? StoredRowBytes() : 0);
    const size_t row_bytes = PictureBytes(shape_) / static_cast<size_t>(shape_.height);
    const bool done = Returns(session_, [&] {
      Start();
      for (int64_t y = 0; y < shape_.height; ++y, out += row_bytes) {
        auto* row = reinterpret_cast<JSAMPROW>(Converts() ? stored.data() : out);
        jpeg_read_scanlines(&cinfo_, &row, 1);
        if (Converts()) {
          ConvertChannels(shape_.type, shape_.width, cinfo_.num_components, stored.data(), out);
        }
      }
      jpeg_finish_decompress(&cinfo_);
    });
    if (!done) ThrowDamaged();
  }

 private:
  [[noreturn]] void ThrowDamaged() const {
    if (session_.failure) std::rethrow_exception(session_.failure);
    throw Error(ErrorKind::kBadData, fmt::format("{}: expected a JPEG picture, found damage: {}",
                                                 session_.input.path(), session_.message.data()));
  }

  void ReadHeader(const PictureLimits& limits) {
    cinfo_.err = jpeg_std_error(&errors_);
    errors_.error_exit = OnError;
    errors_.emit_message = OnMessage;
    progress_.progress_monitor = OnProgress;
    source_.init_source = DoNothing;
    source_.fill_input_buffer = Refill;
    source_.skip_input_data = SkipBytes;
    source_.resync_to_restart = jpeg_resync_to_restart;
    source_.term_source = DoNothing;
    cinfo_.client_data = &session_;
    const bool done = Returns(session_, [&] {
      jpeg_CreateDecompress(&cinfo_, JPEG_LIB_VERSION, sizeof(cinfo_));
      constexpr uint64_t kMost = std::numeric_limits<long>::max();
      cinfo_.mem->max_memory_to_use = static_cast<long>(std::min(limits.most_bytes, kMost));
      cinfo_.src = &source_;
      cinfo_.progress = &progress_;
      jpeg_read_header(&cinfo_, TRUE);
    });
    if (!done) ThrowDamaged();
  }

  void CheckColorSpace() const {
    const J_COLOR_SPACE space = cinfo_.jpeg_color_space;
    if (space == JCS_GRAYSCALE || space == JCS_YCbCr || space == JCS_RGB) return;
    const bool cmyk = space == JCS_CMYK || space == JCS_YCCK;
    throw Error(ErrorKind::kBadData,
                fmt::format("{}: expected a JPEG picture in grey or colour, found {}; save it as "
                            "RGB",
                            session_.input.path(),
                            cmyk ? "CMYK, which is for print"
                                 : fmt::format("{} components", cinfo_.num_components)));
  }

  void SetShape(PictureColor color) {
    shape_.height = cinfo_.image_height;
    shape_.width = cinfo_.image_width;
    shape_.channels = cinfo_.num_components;
    if (color == PictureColor::kGrey) shape_.channels = 1;
    if (color == PictureColor::kRgb) shape_.channels = 3;
    shape_.type = {ElementKind::kUint8, false};
    const auto components = static_cast<size_t>(cinfo_.num_components);
    const size_t padded_width = cinfo_.image_width + size_t{MAX_SAMP_FACTOR * DCTSIZE};
    work_bytes_ = kFixedBytes + kRowsInWork * padded_width * components;
    // With several scans, progressive or not, all coefficients wait for the last of them.
    if (jpeg_has_multiple_scans(&cinfo_) != 0) work_bytes_ += CoefficientBytes();
  }

  size_t CoefficientBytes() const {
    size_t blocks = 0;
    for (const jpeg_component_info& component :
         std::span(cinfo_.comp_info, static_cast<size_t>(cinfo_.num_components))) {
      blocks += (size_t{component.width_in_blocks} + MAX_SAMP_FACTOR) *
                (size_t{component.height_in_blocks} + MAX_SAMP_FACTOR);
    }
    return blocks * kCoefficientBlockBytes;
  }

  bool Converts() const { return shape_.channels != cinfo_.num_components; }

  size_t StoredRowBytes() const {
    return static_cast<size_t>(shape_.width) * static_cast<size_t>(cinfo_.num_components);
  }

  void Start() {
    cinfo_.out_color_space = cinfo_.num_components == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_start_decompress(&cinfo_);
  }

  Session session_;
  jpeg_error_mgr errors_ = {};
  jpeg_progress_mgr progress_ = {};
  jpeg_source_mgr source_ = {};
  jpeg_decompress_struct cinfo_ = {};
};

}  // namespace

std::unique_ptr<PictureDecoder> OpenJpeg(PictureInput& input, PictureColor color,
                                         const PictureLimits& limits) {
  return std::make_unique<JpegDecoder>(input, color, limits);
}

}  // namespace rhohat
