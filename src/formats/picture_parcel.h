// A decoded picture that several blocks of rows share.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "base/aligned_buffer.h"
#include "data/row_source.h"
#include "formats/picture.h"

namespace rhohat {

// Holds the file's bytes from Read() to Unpack(), and the pixels from then on.
class PictureParcel final : public Parcel {
 public:
  // What the headers told; what no longer agrees with it is refused. `path`, `limits` and
  // `bytes_read`, which counts on, must live until the picture is unpacked.
  PictureParcel(const std::string& path, const PictureShape& shape, uint64_t most_file_bytes,
                PictureColor color, const PictureLimits& limits, std::atomic<uint64_t>& bytes_read);

  // The most that one takes.
  static size_t MostBytes(size_t pixel_bytes, uint64_t file_bytes);

  void Read() override;
  void Unpack() override;

  const PictureShape& shape() const { return shape_; }
  // After Unpack().
  const std::byte* pixels() const;

 private:
  const std::string& path_;
  const PictureShape shape_;
  const uint64_t most_file_bytes_;
  const PictureColor color_;
  const PictureLimits& limits_;
  std::atomic<uint64_t>& bytes_read_;
  AlignedBuffer<std::byte> stored_;
  size_t stored_bytes_ = 0;
  AlignedBuffer<std::byte> pixels_;
};

}  // namespace rhohat
