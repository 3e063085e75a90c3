#include "data/row_source.h"

#include <utility>

namespace rhohat {

void RawRows::Start(RowRange rows) {
  range = rows;
  pieces.clear();
  segments.clear();
  parcels.clear();
  new_parcels = 0;
  keep_alive.reset();
}

void RawRows::AddPiece(const Piece& piece) {
  if (!pieces.empty()) {
    Piece& last = pieces.back();
    if (last.type == piece.type && last.first_row + last.rows == piece.first_row &&
        last.first_column == piece.first_column && last.columns == piece.columns &&
        last.row_stride == piece.row_stride &&
        last.data + static_cast<size_t>(last.rows) * last.row_stride == piece.data) {
      last.rows += piece.rows;
      return;
    }
  }
  pieces.push_back(piece);
}

void RawRows::AddSegment(Segment segment) {
  if (!segments.empty()) {
    Segment& last = segments.back();
    if (last.file == segment.file && last.offset + last.bytes == segment.offset &&
        last.byte_offset + last.bytes == segment.byte_offset) {
      last.bytes += segment.bytes;
      return;
    }
  }
  segments.push_back(std::move(segment));
}

void RawRows::SetOnePiece(ElementType type, int64_t columns) {
  pieces.assign(1, {.type = type,
                    .rows = range.size(),
                    .columns = columns,
                    .data = bytes.data(),
                    .row_stride = static_cast<size_t>(columns) * ElementBytes(type)});
}

void RowSource::Read(RawRows& rows) {
  for (const RawRows::Segment& segment : rows.segments) {
    segment.file->ReadAt(segment.offset,
                         std::span(rows.bytes).subspan(segment.byte_offset, segment.bytes));
  }
}

std::string RowSource::ColumnName(int64_t column) const {
  return "column " + std::to_string(column);
}

void FetchAndUnpack(RowSource& source, RowRange range, RawRows& out) {
  source.Fetch(range, out);
  for (size_t i = out.parcels.size() - out.new_parcels; i < out.parcels.size(); ++i) {
    out.parcels[i]->Read();
    out.parcels[i]->Unpack();
  }
  source.Read(out);
  source.Unpack(out);
}

}  // namespace rhohat
