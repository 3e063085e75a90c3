#include "formats/patch_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/units.h"
#include "formats/patch_plan.h"
#include "formats/picture_parcel.h"
#include "formats/picture_source.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

// Files that are read at once.
constexpr int64_t kReaders = 4;

void Validate(const std::vector<std::string>& files, const PatchOptions& options) {
  std::vector<std::string> faults;
  if (files.empty()) faults.emplace_back("no picture was given");
  if (options.height < 1 || options.width < 1) {
    faults.push_back(fmt::format("expected patches of at least 1 × 1 pixels, found {} × {}",
                                 options.height, options.width));
  }
  if (options.count < 1) {
    faults.push_back(fmt::format("expected a number of patches, found {}", options.count));
  }
  if (faults.empty()) return;
  throw Error(ErrorKind::kUsage, fmt::format("cannot cut patches: {}", fmt::join(faults, "; ")));
}

class PatchSource final : public RowSource {
 public:
  PatchSource(std::vector<std::string> files, const PatchOptions& options)
      : files_(std::move(files)),
        options_(options),
        plan_(options.count, static_cast<int64_t>(files_.size()), options.height, options.width,
              options.seed) {
    sizes_.reserve(files_.size());
    for (const std::string& path : files_) Survey(path);
    pixel_bytes_ = static_cast<size_t>(first_.channels) * ElementBytes(first_.type);
    // No overflow: the pictures, which are larger, are within the limits.
    columns_ = options_.height * options_.width * first_.channels;
  }

  int64_t rows() const override { return options_.count; }
  int64_t columns() const override { return columns_; }
  ElementType type() const override { return first_.type; }

  size_t MaxRawBytes(int64_t count) const override {
    const auto row_bytes = columns_ * static_cast<int64_t>(ElementBytes(first_.type));
    return static_cast<size_t>(CheckedProduct(count, row_bytes, "bytes of a block of patches"));
  }
  size_t ParcelBytes(int64_t count) const override {
    const size_t each = PictureParcel::MostBytes(most_pixel_bytes_, survey_.most_file_bytes);
    return static_cast<size_t>(CheckedProduct(plan_.MostPicturesOf(count),
                                              static_cast<int64_t>(each),
                                              "bytes of the pictures of a block"));
  }
  size_t ReaderBytes() const override {
    return PathBytes(files_) + sizes_.capacity() * sizeof(Size);
  }
  size_t UnpackBytes() const override { return survey_.most_work_bytes; }
  int64_t ParcelRows() const override { return plan_.MostRowsOfPicture(); }
  int64_t readers() const override { return kReaders; }

  void Fetch(RowRange range, RawRows& out) override {
    out.range = range;
    out.bytes.resize(MaxRawBytes(range.size()));
    out.SetOnePiece(first_.type, columns_);
    out.parcels.clear();
    out.new_parcels = 0;
    if (range.begin < next_row_) kept_.reset();
    next_row_ = range.end;
    for (int64_t row = range.begin; row < range.end;) {
      const int64_t picture = plan_.PictureOf(row);
      AddParcel(picture, out);
      row = plan_.FirstRowAfter(picture);
    }
    const bool more_of_it = next_row_ < rows() && plan_.PictureOf(next_row_) == kept_picture_;
    if (!more_of_it) kept_.reset();
  }

  void Unpack(RawRows& rows) const override {
    std::byte* out = rows.bytes.data();
    int64_t row = rows.range.begin;
    for (const std::shared_ptr<Parcel>& parcel : rows.parcels) {
      const auto& picture = static_cast<const PictureParcel&>(*parcel);
      const int64_t end = std::min(rows.range.end, plan_.FirstRowAfter(plan_.PictureOf(row)));
      for (; row < end; ++row) out = Cut(picture, row, out);
    }
  }

  std::string Locate(int64_t row) const override {
    const auto picture = static_cast<size_t>(plan_.PictureOf(row));
    const Size size = sizes_[picture];
    const PatchPlan::Corner corner = plan_.CornerOf(row, size.height, size.width);
    return fmt::format("{} patch {}, from pixel row {} and column {}", files_[picture], row,
                       corner.y, corner.x);
  }

  uint64_t bytes_read() const override { return bytes_read_.load(std::memory_order_relaxed); }

 private:
  struct Size {
    int64_t height = 0;
    int64_t width = 0;
  };

  void Survey(const std::string& path) {
    const PictureShape shape = survey_.LookAt(path, options_.color, options_.limits);
    if (survey_.most_file_bytes > options_.limits.most_bytes) {
      throw Error(ErrorKind::kBadData,
                  fmt::format("{}: expected a picture in a file of at most {}, found {}", path,
                              FormatBytes(options_.limits.most_bytes),
                              FormatBytes(survey_.most_file_bytes)));
    }
    if (sizes_.empty()) first_ = shape;
    CheckFits(shape, path);
    sizes_.push_back({shape.height, shape.width});
    most_pixel_bytes_ = std::max(most_pixel_bytes_, PictureBytes(shape));
  }

  void CheckFits(const PictureShape& shape, const std::string& path) const {
    if (shape.channels != first_.channels || shape.type != first_.type) {
      const std::string_view way_out = shape.channels != first_.channels
                                           ? "--color rgb or --color grey makes them alike"
                                           : "convert them apart";
      throw Error(
          ErrorKind::kBadData,
          fmt::format("{}: expected channels and type as in {}, which is {}, found {}; {}", path,
                      files_.front(), DescribeShape(first_), DescribeShape(shape), way_out));
    }
    if (shape.height < options_.height || shape.width < options_.width) {
      throw Error(ErrorKind::kBadData,
                  fmt::format("{}: expected a picture of at least {} × {} pixels, the size of a "
                              "patch, found {} × {}",
                              path, options_.height, options_.width, shape.height, shape.width));
    }
  }

  void AddParcel(int64_t picture, RawRows& out) {
    if (kept_ == nullptr || kept_picture_ != picture) {
      const auto index = static_cast<size_t>(picture);
      PictureShape shape = first_;
      shape.height = sizes_[index].height;
      shape.width = sizes_[index].width;
      kept_ = std::make_shared<PictureParcel>(files_[index], shape, survey_.most_file_bytes,
                                              options_.color, options_.limits, bytes_read_);
      kept_picture_ = picture;
      ++out.new_parcels;
    }
    out.parcels.push_back(kept_);
  }

  // Returns the end of what it wrote.
  std::byte* Cut(const PictureParcel& picture, int64_t row, std::byte* out) const {
    const PictureShape& shape = picture.shape();
    const PatchPlan::Corner corner = plan_.CornerOf(row, shape.height, shape.width);
    const size_t line_bytes = static_cast<size_t>(options_.width) * pixel_bytes_;
    const size_t stride = static_cast<size_t>(shape.width) * pixel_bytes_;
    const std::byte* from = picture.pixels() + static_cast<size_t>(corner.y) * stride +
                            static_cast<size_t>(corner.x) * pixel_bytes_;
    for (int64_t y = 0; y < options_.height; ++y, from += stride, out += line_bytes) {
      std::memcpy(out, from, line_bytes);
    }
    return out;
  }

  const std::vector<std::string> files_;
  const PatchOptions options_;
  const PatchPlan plan_;
  PictureSurvey survey_;
  PictureShape first_;       // all have its channels and type
  std::vector<Size> sizes_;  // of each picture
  size_t most_pixel_bytes_ = 0;
  size_t pixel_bytes_ = 0;
  int64_t columns_ = 0;
  std::atomic<uint64_t> bytes_read_ = 0;

  // Where Fetch() stands.
  int64_t next_row_ = 0;
  int64_t kept_picture_ = -1;
  std::shared_ptr<PictureParcel> kept_;  // the last picture, where the next row is cut from it too
};

}  // namespace

std::unique_ptr<RowSource> OpenPatches(std::vector<std::string> files,
                                       const PatchOptions& options) {
  Validate(files, options);
  return std::make_unique<PatchSource>(std::move(files), options);
}

}  // namespace rhohat
