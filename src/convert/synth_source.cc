#include "convert/synth_source.h"

#include <fmt/core.h>

#include "base/units.h"
#include "rhohat/error.h"

namespace rhohat {

SynthSource::SynthSource(const DeadLeavesOptions& options, uint64_t seed, int64_t rows)
    : leaves_(options, seed),
      height_(options.height),
      width_(options.width),
      columns_(options.height * options.width),
      rows_(rows) {}

size_t SynthSource::MaxRawBytes(int64_t count) const {
  const auto row_bytes = columns_ * static_cast<int64_t>(sizeof(float));
  return static_cast<size_t>(CheckedProduct(count, row_bytes, "bytes of a block of rows"));
}

void SynthSource::Fetch(RowRange range, RawRows& out) {
  if (range.begin < 0 || range.end < range.begin || range.end > rows_) {
    throw Error(ErrorKind::kInternal, fmt::format("asked for synthetic rows {} to {} of {}",
                                                  range.begin, range.end, rows_));
  }
  out.range = range;
  out.bytes.resize(MaxRawBytes(range.size()));
  out.SetOnePiece(type(), columns_);
}

void SynthSource::Unpack(RawRows& rows) const {
  LeafCanvas canvas(height_, width_);
  const auto columns = static_cast<size_t>(columns_);
  auto* pixels = reinterpret_cast<float*>(rows.bytes.data());
  for (int64_t row = rows.range.begin; row < rows.range.end; ++row, pixels += columns) {
    leaves_.Render(static_cast<uint64_t>(row), canvas, {pixels, columns});
  }
}

std::string SynthSource::Locate(int64_t row) const { return fmt::format("synthetic row {}", row); }

}  // namespace rhohat
