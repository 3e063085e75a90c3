#include "formats/picture_parcel.h"

#include <fmt/core.h>

#include <memory>
#include <utility>

#include "formats/byte_stream.h"
#include "formats/picture_source.h"
#include "rhohat/error.h"

namespace rhohat {

PictureParcel::PictureParcel(const std::string& path, const PictureShape& shape,
                             uint64_t most_file_bytes, PictureColor color,
                             const PictureLimits& limits, std::atomic<uint64_t>& bytes_read)
    : path_(path),
      shape_(shape),
      most_file_bytes_(most_file_bytes),
      color_(color),
      limits_(limits),
      bytes_read_(bytes_read) {}

size_t PictureParcel::MostBytes(size_t pixel_bytes, uint64_t file_bytes) {
  return pixel_bytes + file_bytes + sizeof(PictureParcel) + 4 * kCacheLineBytes;
}

void PictureParcel::Read() {
  FileStream stream(path_);
  if (stream.gzipped() || stream.StoredBytes() > most_file_bytes_) {
    throw Error(ErrorKind::kBadData, fmt::format("{}: has changed while it was in use", path_));
  }
  stored_ = AlignedBuffer<std::byte>(stream.StoredBytes());
  stored_bytes_ = stream.Read(stored_.span());
  bytes_read_.fetch_add(stored_bytes_, std::memory_order_relaxed);
}

void PictureParcel::Unpack() {
  PictureInput input(path_, stored_.span().first(stored_bytes_));
  const std::unique_ptr<PictureDecoder> decoder = OpenPicture(input, color_, limits_);
  CheckUnchanged(shape_, *decoder, path_);
  AlignedBuffer<std::byte> pixels(PictureBytes(shape_));
  decoder->ReadPixels(pixels.data());
  pixels_ = std::move(pixels);
  stored_ = {};
}

const std::byte* PictureParcel::pixels() const {
  if (pixels_.size() > 0) return pixels_.data();
  throw Error(ErrorKind::kInternal, fmt::format("{}: cut before it was decoded", path_));
}

}  // namespace rhohat
