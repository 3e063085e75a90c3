#include "formats/picture_source.h"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <string_view>
#include <utility>

#include "base/units.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

std::string_view WayOut(const PictureShape& a, const PictureShape& b) {
  if (a.height != b.height || a.width != b.width) {
    return "from pictures of different sizes, patches of one size can be cut";
  }
  if (a.channels != b.channels) return "--color rgb or --color grey makes them alike";
  return "convert them apart";
}

class PictureSource final : public RowSource {
 public:
  PictureSource(std::vector<std::string> files, const PictureOptions& options)
      : files_(std::move(files)), options_(options) {
    if (files_.empty()) throw Error(ErrorKind::kUsage, "no picture was given");
    for (const std::string& path : files_) {
      const PictureShape shape = survey_.LookAt(path, options_.color, options_.limits);
      if (path.data() == files_.front().data()) shape_ = shape;
      CheckSameShape(shape, path);
    }
  }

  int64_t rows() const override { return static_cast<int64_t>(files_.size()); }
  int64_t columns() const override { return PictureElements(shape_); }
  ElementType type() const override { return shape_.type; }
  size_t MaxRawBytes(int64_t count) const override {
    return static_cast<size_t>(CheckedProduct(count, static_cast<int64_t>(PictureBytes(shape_)),
                                              "bytes of a block of pictures"));
  }
  size_t ReaderBytes() const override { return PathBytes(files_); }
  size_t UnpackBytes() const override { return survey_.most_work_bytes; }

  void Fetch(RowRange range, RawRows& out) override {
    out.range = range;
    out.parcels.clear();
    out.new_parcels = 0;
    out.bytes.resize(MaxRawBytes(range.size()));
    out.SetOnePiece(shape_.type, columns());
  }

  void Unpack(RawRows& rows) const override {
    std::byte* out = rows.bytes.data();
    for (int64_t row = rows.range.begin; row < rows.range.end; ++row) {
      Decode(files_[static_cast<size_t>(row)], out);
      out += PictureBytes(shape_);
    }
  }

  std::string Locate(int64_t row) const override { return files_[static_cast<size_t>(row)]; }
  uint64_t bytes_read() const override { return bytes_read_.load(std::memory_order_relaxed); }

 private:
  void CheckSameShape(const PictureShape& shape, const std::string& path) const {
    if (shape == shape_) return;
    throw Error(ErrorKind::kBadData,
                fmt::format("{}: expected {} as in {}, found {}; {}", path, DescribeShape(shape_),
                            files_.front(), DescribeShape(shape), WayOut(shape_, shape)));
  }

  void Decode(const std::string& path, std::byte* out) const {
    PictureInput input(path);
    const auto decoder = OpenPicture(input, options_.color, options_.limits);
    CheckUnchanged(shape_, *decoder, path);
    decoder->ReadPixels(out);
    bytes_read_.fetch_add(input.bytes_read(), std::memory_order_relaxed);
  }

  const std::vector<std::string> files_;
  const PictureOptions options_;
  PictureSurvey survey_;
  PictureShape shape_;
  mutable std::atomic<uint64_t> bytes_read_ = 0;
};

}  // namespace

PictureShape PictureSurvey::LookAt(const std::string& path, PictureColor color,
                                   const PictureLimits& limits) {
  PictureInput input(path);
  const std::unique_ptr<PictureDecoder> decoder = OpenPicture(input, color, limits);
  most_work_bytes = std::max(most_work_bytes, decoder->work_bytes());
  most_file_bytes = std::max(most_file_bytes, input.file_bytes());
  return decoder->shape();
}

void CheckUnchanged(const PictureShape& surveyed, const PictureDecoder& decoder,
                    const std::string& path) {
  if (decoder.shape() == surveyed) return;
  throw Error(ErrorKind::kBadData,
              fmt::format("{}: has changed while it was in use: expected {}, found {}", path,
                          DescribeShape(surveyed), DescribeShape(decoder.shape())));
}

size_t PathBytes(const std::vector<std::string>& paths) {
  size_t bytes = paths.capacity() * sizeof(std::string);
  for (const std::string& path : paths) bytes += path.capacity() + 1;
  return bytes;
}

std::unique_ptr<RowSource> OpenPictures(std::vector<std::string> files,
                                        const PictureOptions& options) {
  return std::make_unique<PictureSource>(std::move(files), options);
}

}  // namespace rhohat
