// Some rows and some columns of another source, without copying any.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "data/row_source.h"

namespace rhohat {

class RowView final : public RowSource {
 public:
  // Rows [rows.begin, rows.end) of `source`; of each the `columns`, in that order, or all where the
  // list is empty. Throws Error(kUsage) where there are no such rows or columns.
  RowView(std::unique_ptr<RowSource> source, RowRange rows, const std::vector<int64_t>& columns);

  int64_t rows() const override { return rows_.size(); }
  int64_t columns() const override;
  ElementType type() const override { return source_->type(); }
  size_t MaxRawBytes(int64_t count) const override { return source_->MaxRawBytes(count); }
  size_t ParcelBytes(int64_t count) const override { return source_->ParcelBytes(count); }
  size_t ReaderBytes() const override { return source_->ReaderBytes(); }
  size_t UnpackBytes() const override { return source_->UnpackBytes(); }
  int64_t ParcelRows() const override { return source_->ParcelRows(); }
  int64_t readers() const override { return source_->readers(); }
  void Fetch(RowRange range, RawRows& out) override;
  void Read(RawRows& rows) override;
  void Unpack(RawRows& rows) const override;
  std::string Locate(int64_t row) const override { return source_->Locate(row + rows_.begin); }
  std::string ColumnName(int64_t column) const override;
  std::string Remark() const override { return source_->Remark(); }
  uint64_t bytes_read() const override { return source_->bytes_read(); }

 private:
  // Columns [source_first, source_first + count) of the source become those from `first` on.
  struct Run {
    int64_t source_first = 0;
    int64_t first = 0;
    int64_t count = 0;
  };

  void PickColumns(RawRows& rows) const;

  std::unique_ptr<RowSource> source_;
  RowRange rows_;
  std::vector<Run> runs_;  // empty: all columns
};

}  // namespace rhohat
