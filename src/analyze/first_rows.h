// The first rows of a source, as a source: for looking at data that is too much to be read whole.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "data/row_source.h"

namespace rhohat {

// As thread-safe as what it stands for.
class FirstRows final : public RowSource {
 public:
  // `source` must outlive the object. At most as many rows as it has.
  FirstRows(RowSource& source, int64_t rows) : source_(source), rows_(rows) {}

  // Not to be called during a pass.
  void set_rows(int64_t rows) { rows_ = rows; }

  int64_t rows() const override { return rows_; }
  int64_t columns() const override { return source_.columns(); }
  ElementType type() const override { return source_.type(); }
  size_t MaxRawBytes(int64_t count) const override { return source_.MaxRawBytes(count); }
  size_t ParcelBytes(int64_t count) const override { return source_.ParcelBytes(count); }
  size_t ReaderBytes() const override { return source_.ReaderBytes(); }
  size_t UnpackBytes() const override { return source_.UnpackBytes(); }
  int64_t ParcelRows() const override { return source_.ParcelRows(); }
  int64_t readers() const override { return source_.readers(); }
  std::span<const int64_t> Numbers(RowRange range) const override { return source_.Numbers(range); }
  void Fetch(RowRange range, RawRows& out) override { source_.Fetch(range, out); }
  void Read(RawRows& rows) override { source_.Read(rows); }
  void Unpack(RawRows& rows) const override { source_.Unpack(rows); }
  std::string Locate(int64_t row) const override { return source_.Locate(row); }
  bool NamesColumns() const override { return source_.NamesColumns(); }
  std::string ColumnName(int64_t column) const override { return source_.ColumnName(column); }
  uint64_t bytes_read() const override { return source_.bytes_read(); }

 private:
  RowSource& source_;
  int64_t rows_;
};

}  // namespace rhohat
