// Rows of a matrix that is stored column after column: NumPy's Fortran order, MATLAB, R.
//
// A block of rows is a stretch of every column. Read() gathers the stretches with one pread a
// column, in the order of the file; Unpack() turns them into rows. So the cost of a block is that
// of columns() reads, however few its rows are: callers should fetch blocks of many rows, 32 MiB or
// more at a time. ParcelRows() says how many that are.
//
// Bytes that cannot be read out of order, because they are packed, are unpacked to a temporary file
// first, within the first Fetch().
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "base/input_file.h"
#include "data/row_source.h"
#include "formats/byte_stream.h"
#include "formats/row_layout.h"

namespace rhohat {

class ColumnMajorSource final : public RowSource {
 public:
  // `axes` are the lengths of all axes but the first, where the columns are several axes flattened
  // in C order: the first of them runs fastest in the file and slowest in a row, as in
  // numpy.load(file).reshape(rows, -1). Empty for a matrix.

  // Elements from byte layout.header_bytes of `file` on. Throws Error(kBadData) where the file ends
  // before they do.
  ColumnMajorSource(std::unique_ptr<InputFile> file, const RowLayout& layout,
                    std::vector<int64_t> axes = {});

  // `stream` stands at the end of the header; what cannot be seeked in it goes to a temporary file
  // in `spool_folder`. Throws Error(kBadData) where the stream's size, as far as it tells,
  // contradicts the layout, or where `spool_folder` is empty and there is need of it.
  ColumnMajorSource(std::unique_ptr<ByteStream> stream, const RowLayout& layout,
                    std::vector<int64_t> axes, std::string spool_folder);

  int64_t rows() const override { return layout_.rows; }
  int64_t columns() const override { return layout_.columns; }
  ElementType type() const override { return layout_.type; }
  // Twice the rows: as gathered, and as rows.
  size_t MaxRawBytes(int64_t count) const override;
  size_t ReaderBytes() const override;
  int64_t ParcelRows() const override;
  int64_t readers() const override;
  void Fetch(RowRange range, RawRows& out) override;
  void Read(RawRows& rows) override;
  void Unpack(RawRows& rows) const override;
  std::string Locate(int64_t row) const override;
  // Counts what is read from a temporary file too.
  uint64_t bytes_read() const override;

 private:
  void Spool();
  int64_t StoredColumn(int64_t column) const;

  std::string path_;
  RowLayout layout_;
  std::vector<int64_t> axes_;
  int64_t row_bytes_ = 0;
  std::unique_ptr<ByteStream> stream_;  // none where a file was given
  std::string spool_folder_;
  std::unique_ptr<InputFile> file_;  // none until it is spooled
  uint64_t elements_at_ = 0;         // where in file_
  std::atomic<uint64_t> gathered_ = 0;
};

}  // namespace rhohat
