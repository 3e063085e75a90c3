// One picture out of a PNG or JPEG file, as numbers: height × width × channels, rows from the top.
//
// Which of the two a file is, its first bytes say. What a file declares is believed only within
// limits: a few bytes can declare billions of pixels, so sizes are checked before memory is taken.
// Turning by EXIF orientation, gamma and colour profiles are ignored: samples are what is stored.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/aligned_buffer.h"
#include "data/element_type.h"
#include "formats/byte_stream.h"

namespace rhohat {

enum class PictureColor : uint8_t {
  kAsStored,  // 1 channel for greys, 3 for colours; palettes become colours; transparency is
              // refused
  kGrey,      // 1 channel: 0.299 R + 0.587 G + 0.114 B, rounded; transparency is dropped
  kRgb,       // 3 channels, equal ones for greys; transparency is dropped
};

// What a picture may take, whatever its file declares.
struct PictureLimits {
  int64_t most_pixels = int64_t{256} << 20;
  // Pixels and what decoding takes beside them; also the file, where it is read as a whole.
  uint64_t most_bytes = uint64_t{2} << 30;
};

struct PictureShape {
  int64_t height = 0;
  int64_t width = 0;
  int64_t channels = 0;
  ElementType type;  // uint8; uint16 where a PNG has 16 bits a sample

  friend bool operator==(const PictureShape&, const PictureShape&) = default;
};

int64_t PictureElements(const PictureShape& shape);
size_t PictureBytes(const PictureShape& shape);

// "480 × 640 × 3 of uint8", for messages.
std::string DescribeShape(const PictureShape& shape);

// The bytes of a picture, from front to back.
class PictureInput {
 public:
  // From a file. Throws Error(kNoInput) where there is no such file or it may not be read, and
  // Error(kBadData) where it is gzipped.
  explicit PictureInput(const std::string& path);
  // From memory, which must outlive this; `path` is for messages.
  PictureInput(std::string path, std::span<const std::byte> bytes);

  // What comes next, without going on; empty at the end. Valid until Skip(). Throws Error(kIo).
  std::span<const std::byte> Next();
  void Skip(size_t count) { next_ = next_.subspan(count); }

  const std::string& path() const { return path_; }
  uint64_t file_bytes() const { return stream_ ? stream_->StoredBytes() : next_.size(); }
  uint64_t bytes_read() const { return stream_ ? stream_->bytes_read() : 0; }

 private:
  std::string path_;
  std::unique_ptr<FileStream> stream_;  // none for bytes in memory
  AlignedBuffer<std::byte> buffer_;
  std::span<const std::byte> next_;
};

// Has read a header, and can read the pixels once. Uses its input as long as it lives.
class PictureDecoder {
 public:
  virtual ~PictureDecoder() = default;

  const PictureShape& shape() const { return shape_; }
  // The most memory that decoding takes, beside the pixels.
  size_t work_bytes() const { return work_bytes_; }

  // Writes PictureBytes(shape()) bytes. Throws Error(kBadData) where the file is damaged or cut
  // short.
  virtual void ReadPixels(std::byte* out) = 0;

 protected:
  PictureShape shape_;
  size_t work_bytes_ = 0;
};

// Reads the header, whose sizes are then within the limits. Throws Error(kBadData).
std::unique_ptr<PictureDecoder> OpenPicture(PictureInput& input, PictureColor color,
                                            const PictureLimits& limits);

// Whether a file that begins like this is PNG or JPEG; eight bytes are enough.
bool LooksLikePicture(std::span<const std::byte> first_bytes);

// For the decoders. Throws Error(kBadData) for a picture beyond the limits.
void CheckPictureLimits(const PictureLimits& limits, const PictureShape& shape, size_t work_bytes,
                        const std::string& path);

// For the decoders: `width` pixels of `type`, from 3 channels to 1 or the reverse. Weights are
// those of ITU-R 601 in 16-bit fixed point, as in Pillow's convert("L").
void ConvertChannels(ElementType type, int64_t width, int64_t from_channels, const std::byte* from,
                     std::byte* to);

}  // namespace rhohat
