#include "convert/row_view.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "rhohat/error.h"

namespace rhohat {

RowView::RowView(std::unique_ptr<RowSource> source, RowRange rows,
                 const std::vector<int64_t>& columns)
    : source_(std::move(source)), rows_(rows) {
  if (rows.begin >= rows.end) {
    throw Error(ErrorKind::kUsage,
                fmt::format("rows {}:{} were asked for, which are none", rows.begin, rows.end));
  }
  if (rows.begin < 0 || rows.end > source_->rows()) {
    throw Error(ErrorKind::kUsage, fmt::format("rows {}:{} were asked for, but there are {}",
                                               rows.begin, rows.end, source_->rows()));
  }
  for (const int64_t column : columns) {
    if (column < 0 || column >= source_->columns()) {
      throw Error(ErrorKind::kUsage, fmt::format("column {} was asked for, but there are {}, "
                                                 "counted from 0",
                                                 column, source_->columns()));
    }
    if (!runs_.empty() && runs_.back().source_first + runs_.back().count == column) {
      ++runs_.back().count;
    } else {
      const int64_t first = runs_.empty() ? 0 : runs_.back().first + runs_.back().count;
      runs_.push_back({.source_first = column, .first = first, .count = 1});
    }
  }
}

int64_t RowView::columns() const {
  return runs_.empty() ? source_->columns() : runs_.back().first + runs_.back().count;
}

void RowView::Fetch(RowRange range, RawRows& out) {
  source_->Fetch({range.begin + rows_.begin, range.end + rows_.begin}, out);
  out.range = range;
}

// The source finds its own row numbers in `rows` while it is at work.
void RowView::Read(RawRows& rows) {
  const RowRange range = rows.range;
  rows.range = {range.begin + rows_.begin, range.end + rows_.begin};
  source_->Read(rows);
  rows.range = range;
}

void RowView::Unpack(RawRows& rows) const {
  const RowRange range = rows.range;
  rows.range = {range.begin + rows_.begin, range.end + rows_.begin};
  source_->Unpack(rows);
  rows.range = range;
  if (!runs_.empty()) PickColumns(rows);
}

void RowView::PickColumns(RawRows& rows) const {
  std::vector<RawRows::Piece> picked;
  for (const RawRows::Piece& piece : rows.pieces) {
    for (const Run& run : runs_) {
      const int64_t begin = std::max(piece.first_column, run.source_first);
      const int64_t end =
          std::min(piece.first_column + piece.columns, run.source_first + run.count);
      if (begin >= end) continue;
      RawRows::Piece part = piece;
      part.data += static_cast<size_t>(begin - piece.first_column) * ElementBytes(piece.type);
      part.first_column = run.first + begin - run.source_first;
      part.columns = end - begin;
      picked.push_back(part);
    }
  }
  rows.pieces = std::move(picked);
}

std::string RowView::ColumnName(int64_t column) const {
  for (const Run& run : runs_) {
    if (column < run.first + run.count) {
      return source_->ColumnName(run.source_first + column - run.first);
    }
  }
  return source_->ColumnName(column);
}

}  // namespace rhohat
