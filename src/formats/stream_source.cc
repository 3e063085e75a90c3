#include "formats/stream_source.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/units.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

// Memory grows by this much at a time, so that it follows what the file holds and not what a
// damaged header of a gzipped file claims.
constexpr size_t kGrowthBytes = size_t{4} << 20;

}  // namespace

StreamSource::StreamSource(std::unique_ptr<ByteStream> stream, const RowLayout& layout)
    : stream_(std::move(stream)),
      layout_(layout),
      row_bytes_(BytesOf(layout_, stream_->path()).row) {
  CheckSize(*stream_, layout_);
}

size_t StreamSource::MaxRawBytes(int64_t count) const {
  return static_cast<size_t>(CheckedProduct(count, row_bytes_, "bytes of a block of rows"));
}

void StreamSource::Fetch(RowRange range, RawRows& out) {
  if (range.begin < 0 || range.end < range.begin || range.end > layout_.rows) {
    throw Error(ErrorKind::kInternal,
                fmt::format("{}: asked for rows {} to {} of {}", stream_->path(), range.begin,
                            range.end, layout_.rows));
  }
  if (range.begin < next_row_) StartPass();
  SkipRows(range.begin - next_row_);
  ReadRows(range, out.bytes);
  next_row_ = range.end;
  out.range = range;
  out.SetOnePiece(layout_.type, layout_.columns);
  if (next_row_ == layout_.rows) CheckEnd();
}

void StreamSource::Unpack(RawRows& rows) const {
  if (layout_.truth_values) CheckTruthValues(*this, rows);
}

void StreamSource::StartPass() {
  stream_->Rewind();
  Skip(*stream_, layout_.header_bytes);  // what is missing is noticed at the first row
  next_row_ = 0;
}

// Rows before those that are wanted.
void StreamSource::SkipRows(int64_t count) {
  const uint64_t wanted = MaxRawBytes(count);
  const uint64_t skipped = Skip(*stream_, wanted);
  if (skipped < wanted) ThrowCutShort(MaxRawBytes(next_row_) + skipped);
  next_row_ += count;
}

void StreamSource::ReadRows(RowRange range, std::vector<std::byte>& bytes) {
  const size_t wanted = MaxRawBytes(range.size());
  size_t filled = 0;
  while (filled < wanted) {
    // What is allocated already is filled at once.
    const size_t size = std::min(wanted, std::max(bytes.capacity(), filled + kGrowthBytes));
    bytes.resize(size);
    const size_t got = stream_->Read(std::span(bytes).subspan(filled));
    filled += got;
    if (filled < size) ThrowCutShort(MaxRawBytes(range.begin) + filled);
  }
  bytes.resize(wanted);
}

void StreamSource::ThrowCutShort(uint64_t element_bytes) const {
  throw Error(ErrorKind::kBadData, fmt::format("{}, found {}: the file is cut short",
                                               PromiseOf(layout_, stream_->path()),
                                               layout_.header_bytes + element_bytes));
}

void StreamSource::CheckEnd() {
  std::array<std::byte, 1> next = {};
  if (stream_->Read(next) == 0) return;
  throw Error(ErrorKind::kBadData, fmt::format("{}, found more: the file goes on after its rows",
                                               PromiseOf(layout_, stream_->path())));
}

std::string StreamSource::Locate(int64_t row) const {
  return fmt::format("{} row {}", stream_->path(), row);
}

void ReadHeaderBytes(ByteStream& stream, std::span<std::byte> out) {
  const size_t got = stream.Read(out);
  if (got < out.size()) {
    throw Error(ErrorKind::kBadData,
                fmt::format("{}: expected {} more bytes of header, found {}: the file is cut short",
                            stream.path(), out.size(), got));
  }
}

}  // namespace rhohat
