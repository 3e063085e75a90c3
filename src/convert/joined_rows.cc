#include "convert/joined_rows.h"

#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "convert/encode_elements.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

// Index of the smallest power of two that is not below `count`.
size_t PowerOf(int64_t count) {
  return static_cast<size_t>(
      std::bit_width(static_cast<uint64_t>(std::max<int64_t>(1, count) - 1)));
}

constexpr size_t kMostElementBytes = 8;

// Copies the elements without gaps to `to`, where the piece points from then on. Returns what lies
// behind them.
std::byte* CopyPiece(RawRows::Piece& piece, std::byte* to) {
  const size_t row_bytes = static_cast<size_t>(piece.columns) * ElementBytes(piece.type);
  const std::byte* from = piece.data;
  piece.data = to;
  for (int64_t i = 0; i < piece.rows; ++i) {
    std::memcpy(to, from + static_cast<size_t>(i) * piece.row_stride, row_bytes);
    to += row_bytes;
  }
  piece.row_stride = row_bytes;
  return to;
}

}  // namespace

// What rows of more than one input keep alive: the first input, and its rows.
struct JoinedRows::Across {
  std::shared_ptr<RowSource> source;
  RawRows rows;
};

JoinedRows::JoinedRows(std::vector<std::string> names, Opener open)
    : names_(std::move(names)), open_(std::move(open)) {
  for (size_t i = 0; i < names_.size(); ++i) Survey(i);
}

void JoinedRows::Survey(size_t index) {
  std::unique_ptr<RowSource> source = open_(index);
  if (index == 0) {
    columns_ = source->columns();
    type_ = source->type();
    readers_ = source->readers();
  }
  if (source->columns() != columns_) {
    throw Error(ErrorKind::kBadData,
                fmt::format("{}: expected {} columns as in {}, found {}", names_[index], columns_,
                            names_.front(), source->columns()));
  }
  int64_t end = 0;
  if (__builtin_add_overflow(first_rows_.back(), source->rows(), &end)) {
    throw Error(ErrorKind::kBadData, fmt::format("{}: too many rows in all", names_[index]));
  }
  first_rows_.push_back(end);
  type_ = index == 0 ? type_ : CommonType(type_, source->type());
  for (size_t power = 0; power < raw_bytes_.size(); ++power) {
    const int64_t count = std::min(source->rows(), int64_t{1} << power);
    raw_bytes_[power] = std::max(raw_bytes_[power], source->MaxRawBytes(count));
    parcel_bytes_[power] = std::max(parcel_bytes_[power], source->ParcelBytes(count));
  }
  // Two are there while blocks of the one before are in hand, and the one with the names.
  const size_t open_sources = names_.size() == 1 ? 1 : naming_ || source->NamesColumns() ? 3 : 2;
  reader_bytes_ = std::max(reader_bytes_, open_sources * source->ReaderBytes());
  unpack_bytes_ = std::max(unpack_bytes_, source->UnpackBytes());
  parcel_rows_ = std::max(parcel_rows_, source->ParcelRows());
  readers_ = std::min(readers_, source->readers());
  if (const std::string remark = source->Remark(); !remark.empty() && ++remarks_ == 1) {
    remark_ = remark;
  }
  if (index > 0) return;
  current_ = Counted(std::move(source));  // reading begins with it, and opening may be long work
  if (current_->NamesColumns()) naming_ = current_;
}

size_t JoinedRows::MaxRawBytes(int64_t count) const {
  const size_t within = raw_bytes_[std::min(PowerOf(count), raw_bytes_.size() - 1)];
  size_t across = 0;
  if (__builtin_mul_overflow(static_cast<size_t>(count),
                             static_cast<size_t>(columns_) * kMostElementBytes, &across)) {
    across = SIZE_MAX;
  }
  return names_.size() == 1 ? within : std::max(within, across);
}

size_t JoinedRows::ParcelBytes(int64_t count) const {
  const size_t within = parcel_bytes_[std::min(PowerOf(count), parcel_bytes_.size() - 1)];
  return names_.size() == 1 ? within : 2 * within;
}

size_t JoinedRows::InputOf(int64_t row) const {
  const auto after = std::upper_bound(first_rows_.begin(), first_rows_.end(), row);
  return static_cast<size_t>(after - first_rows_.begin()) - 1;
}

bool JoinedRows::IsWithinOne(RowRange range) const {
  return range.end <= first_rows_[InputOf(range.begin) + 1];
}

RowSource& JoinedRows::OpenInput(size_t index) {
  if (current_ && current_index_ == index) return *current_;
  current_.reset();
  current_ = Counted(open_(index));
  current_index_ = index;
  if (current_->rows() != first_rows_[index + 1] - first_rows_[index] ||
      current_->columns() != columns_) {
    throw Error(ErrorKind::kBadData,
                fmt::format("{}: has changed while it was read", names_[index]));
  }
  return *current_;
}

// An input is read from until no block holds it: what it has read is known when it is closed.
std::shared_ptr<RowSource> JoinedRows::Counted(std::unique_ptr<RowSource> source) const {
  return {source.release(), [bytes = bytes_of_closed_](RowSource* closed) {
            bytes->fetch_add(closed->bytes_read(), std::memory_order_relaxed);
            delete closed;
          }};
}

uint64_t JoinedRows::bytes_read() const {
  return bytes_of_closed_->load(std::memory_order_relaxed) +
         (current_ ? current_->bytes_read() : 0);
}

void JoinedRows::Fetch(RowRange range, RawRows& out) {
  if (!IsWithinOne(range)) return FetchAcross(range, out);
  const size_t index = InputOf(range.begin);
  const int64_t first = first_rows_[index];
  RowSource& source = OpenInput(index);
  source.Fetch({range.begin - first, range.end - first}, out);
  out.range = range;
  out.keep_alive = current_;
}

// Rows of more than one input. Those of the first may lie in parcels that blocks before share,
// which nobody has unpacked yet: they take the same steps as the rows of any block.
void JoinedRows::FetchAcross(RowRange range, RawRows& out) {
  const size_t index = InputOf(range.begin);
  const int64_t first = first_rows_[index];
  const int64_t end = first_rows_[index + 1];
  auto across = std::make_shared<Across>();
  OpenInput(index);
  across->source = current_;
  across->source->Fetch({range.begin - first, end - first}, across->rows);
  out.Start(range);
  out.parcels = across->rows.parcels;
  out.new_parcels = across->rows.new_parcels;
  out.keep_alive = std::move(across);
  CopyFurther(end, out);
}

// The rows of all inputs but the first are unpacked and copied together here, on the reading
// thread: there may be more inputs than can be open. They begin where their inputs do, and so share
// nothing with blocks before. Few blocks are so.
void JoinedRows::CopyFurther(int64_t begin, RawRows& out) {
  out.bytes.resize(static_cast<size_t>((out.range.end - begin) * columns_) * kMostElementBytes);
  std::byte* to = out.bytes.data();
  for (int64_t row = begin; row < out.range.end;) {
    const size_t index = InputOf(row);
    const int64_t first = first_rows_[index];
    const int64_t end = std::min(out.range.end, first_rows_[index + 1]);
    RawRows part;
    FetchAndUnpack(OpenInput(index), {row - first, end - first}, part);
    for (RawRows::Piece piece : part.pieces) {
      to = CopyPiece(piece, to);
      piece.first_row += row - out.range.begin;
      out.pieces.push_back(piece);
    }
    row = end;
  }
}

void JoinedRows::Read(RawRows& rows) {
  if (!IsWithinOne(rows.range)) {
    auto& across = *static_cast<Across*>(rows.keep_alive.get());
    return across.source->Read(across.rows);
  }
  const RowRange range = rows.range;
  const int64_t first = first_rows_[InputOf(range.begin)];
  rows.range = {range.begin - first, range.end - first};
  static_cast<RowSource*>(rows.keep_alive.get())->Read(rows);
  rows.range = range;
}

void JoinedRows::Unpack(RawRows& rows) const {
  if (!IsWithinOne(rows.range)) {
    auto& across = *static_cast<Across*>(rows.keep_alive.get());
    across.source->Unpack(across.rows);
    rows.pieces.insert(rows.pieces.begin(), across.rows.pieces.begin(), across.rows.pieces.end());
    return;
  }
  const RowRange range = rows.range;
  const int64_t first = first_rows_[InputOf(range.begin)];
  rows.range = {range.begin - first, range.end - first};
  static_cast<const RowSource*>(rows.keep_alive.get())->Unpack(rows);
  rows.range = range;
}

std::string JoinedRows::Locate(int64_t row) const {
  const size_t index = InputOf(row);
  return fmt::format("{} row {}", names_[index], row - first_rows_[index]);
}

std::string JoinedRows::Remark() const {
  if (remarks_ <= 1) return remark_;
  return fmt::format("{} (and so in {} of the other inputs)", remark_, remarks_ - 1);
}

std::string JoinedRows::ColumnName(int64_t column) const {
  return naming_ ? naming_->ColumnName(column) : RowSource::ColumnName(column);
}

}  // namespace rhohat
