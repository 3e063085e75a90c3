#include "formats/column_major_source.h"

#include <fcntl.h>
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "base/text.h"
#include "base/units.h"
#include "formats/spool_file.h"
#include "formats/transpose.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

constexpr int64_t kGoodBlockBytes = int64_t{32} << 20;

// Threads that keep a disk, or the copying from the system's cache, busy.
constexpr int64_t kReaders = 4;

// Columns whose places are looked up at a time.
constexpr size_t kSliceColumns = 256;

std::unique_ptr<InputFile> Reopen(const ByteStream& stream) {
  const int descriptor = ::fcntl(stream.descriptor(), F_DUPFD_CLOEXEC, 0);
  if (descriptor < 0) {
    throw Error(ErrorKind::kIo, fmt::format("{}: cannot open it for reading out of order: {}",
                                            stream.path(), ErrnoText(errno)));
  }
  return std::make_unique<InputFile>(descriptor, stream.path());
}

}  // namespace

ColumnMajorSource::ColumnMajorSource(std::unique_ptr<InputFile> file, const RowLayout& layout,
                                     std::vector<int64_t> axes)
    : path_(file->path()),
      layout_(layout),
      axes_(std::move(axes)),
      row_bytes_(BytesOf(layout, path_).row),
      file_(std::move(file)),
      elements_at_(layout.header_bytes) {
  if (static_cast<uint64_t>(BytesOf(layout_, path_).content) <= file_->bytes()) return;
  throw Error(ErrorKind::kBadData, fmt::format("{}, found {}: the file is cut short",
                                               PromiseOf(layout_, path_), file_->bytes()));
}

ColumnMajorSource::ColumnMajorSource(std::unique_ptr<ByteStream> stream, const RowLayout& layout,
                                     std::vector<int64_t> axes, std::string spool_folder)
    : path_(stream->path()),
      layout_(layout),
      axes_(std::move(axes)),
      row_bytes_(BytesOf(layout, path_).row),
      stream_(std::move(stream)),
      spool_folder_(std::move(spool_folder)) {
  CheckSize(*stream_, layout_);
  if (stream_->descriptor() >= 0) {
    file_ = Reopen(*stream_);
    elements_at_ = layout_.header_bytes;
  } else if (spool_folder_.empty()) {
    throw Error(ErrorKind::kBadData,
                fmt::format("{}: expected rows one after another, found packed data that is stored "
                            "column after column; unpack it first, or save it again in C order, as "
                            "with numpy.ascontiguousarray(array)",
                            path_));
  }
}

size_t ColumnMajorSource::MaxRawBytes(int64_t count) const {
  const std::string_view what = "bytes of a block of rows";
  return static_cast<size_t>(CheckedProduct(2, CheckedProduct(count, row_bytes_, what), what));
}

size_t ColumnMajorSource::ReaderBytes() const {
  if (stream_ == nullptr || stream_->descriptor() >= 0) return 0;
  return stream_->BufferBytes() + kSpoolBufferBytes;
}

int64_t ColumnMajorSource::ParcelRows() const {
  return std::clamp<int64_t>(kGoodBlockBytes / row_bytes_, 1, layout_.rows);
}

int64_t ColumnMajorSource::readers() const { return kReaders; }

void ColumnMajorSource::Fetch(RowRange range, RawRows& out) {
  if (range.begin < 0 || range.end < range.begin || range.end > layout_.rows) {
    throw Error(ErrorKind::kInternal, fmt::format("{}: asked for rows {} to {} of {}", path_,
                                                  range.begin, range.end, layout_.rows));
  }
  if (file_ == nullptr) Spool();
  out.range = range;
  out.bytes.resize(MaxRawBytes(range.size()));
  out.SetOnePiece(layout_.type, layout_.columns);
  out.pieces.front().data = nullptr;  // until Unpack()
}

void ColumnMajorSource::Spool() {
  stream_->Rewind();
  Skip(*stream_, layout_.header_bytes);
  file_ =
      SpoolRest(*stream_, static_cast<uint64_t>(BytesOf(layout_, path_).elements), spool_folder_);
}

void ColumnMajorSource::Read(RawRows& rows) {
  const auto element_bytes = static_cast<int64_t>(ElementBytes(layout_.type));
  const bool whole_columns = rows.range.size() == layout_.rows;
  const int64_t stretches = whole_columns ? 1 : layout_.columns;
  const size_t stretch_bytes = rows.bytes.size() / 2 / static_cast<size_t>(stretches);
  for (int64_t i = 0; i < stretches; ++i) {
    const int64_t first_element = i * layout_.rows + rows.range.begin;
    file_->ReadAt(
        elements_at_ + static_cast<uint64_t>(first_element * element_bytes),
        std::span(rows.bytes).subspan(static_cast<size_t>(i) * stretch_bytes, stretch_bytes));
  }
  gathered_.fetch_add(rows.bytes.size() / 2, std::memory_order_relaxed);
}

void ColumnMajorSource::Unpack(RawRows& rows) const {
  RawRows::Piece& piece = rows.pieces.front();
  const size_t element_bytes = ElementBytes(layout_.type);
  const std::byte* const gathered = rows.bytes.data();
  std::byte* const unpacked = rows.bytes.data() + rows.bytes.size() / 2;
  std::array<int64_t, kSliceColumns> from = {};
  for (int64_t column = 0; column < layout_.columns; column += std::ssize(from)) {
    const auto slice = std::span(from).first(
        static_cast<size_t>(std::min<int64_t>(std::ssize(from), layout_.columns - column)));
    for (size_t i = 0; i < slice.size(); ++i) {
      slice[i] = StoredColumn(column + static_cast<int64_t>(i));
    }
    TransposeColumns(gathered, element_bytes, rows.range.size(), slice,
                     unpacked + static_cast<size_t>(column) * element_bytes, piece.row_stride);
  }
  piece.data = unpacked;
  if (layout_.truth_values) CheckTruthValues(*this, rows);
}

// Takes the number apart with the last axis fastest, and puts it together with the first fastest.
int64_t ColumnMajorSource::StoredColumn(int64_t column) const {
  if (axes_.empty()) return column;
  int64_t stored = 0;
  int64_t stride = layout_.columns;
  for (size_t i = axes_.size(); i-- > 0;) {
    stride /= axes_[i];
    stored += column % axes_[i] * stride;
    column /= axes_[i];
  }
  return stored;
}

std::string ColumnMajorSource::Locate(int64_t row) const {
  return fmt::format("{} row {}", path_, row);
}

uint64_t ColumnMajorSource::bytes_read() const {
  const uint64_t streamed = stream_ != nullptr ? stream_->bytes_read() : 0;
  return streamed + gathered_.load(std::memory_order_relaxed);
}

}  // namespace rhohat
