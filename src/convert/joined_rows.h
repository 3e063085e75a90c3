// The rows of several inputs, one below the other.
//
// Inputs are opened when the rows reach them and closed when no block in hand needs them: there may
// be more of them than files may be open.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "data/row_source.h"

namespace rhohat {

class JoinedRows final : public RowSource {
 public:
  // Opens input number i.
  using Opener = std::function<std::unique_ptr<RowSource>(size_t)>;

  // `names` are for messages. Opens each input to look at it, and keeps the first open: to
  // open may mean to count the lines of a text, or to unpack an array. All must have the same
  // number of columns. Throws Error.
  JoinedRows(std::vector<std::string> names, Opener open);

  int64_t rows() const override { return first_rows_.back(); }
  int64_t columns() const override { return columns_; }
  ElementType type() const override { return type_; }
  size_t MaxRawBytes(int64_t count) const override;
  size_t ParcelBytes(int64_t count) const override;
  size_t ReaderBytes() const override { return reader_bytes_; }
  size_t UnpackBytes() const override { return unpack_bytes_; }
  int64_t ParcelRows() const override { return parcel_rows_; }
  int64_t readers() const override { return readers_; }
  void Fetch(RowRange range, RawRows& out) override;
  void Read(RawRows& rows) override;
  void Unpack(RawRows& rows) const override;
  std::string Locate(int64_t row) const override;
  std::string ColumnName(int64_t column) const override;
  // The first input's that has one; of the others, how many do.
  std::string Remark() const override;
  // Between passes only: what inputs have read that blocks in hand hold is not counted yet.
  uint64_t bytes_read() const override;

 private:
  struct Across;
  // The most of something for 1, 2, 4, … rows.
  using ByPowersOfTwo = std::array<size_t, 48>;

  void Survey(size_t index);
  size_t InputOf(int64_t row) const;
  bool IsWithinOne(RowRange range) const;
  RowSource& OpenInput(size_t index);
  std::shared_ptr<RowSource> Counted(std::unique_ptr<RowSource> source) const;
  void FetchAcross(RowRange range, RawRows& out);
  void CopyFurther(int64_t begin, RawRows& out);

  std::vector<std::string> names_;
  Opener open_;
  std::vector<int64_t> first_rows_ = {0};  // of each input, and one past the last row
  int64_t columns_ = 0;
  ElementType type_;
  ByPowersOfTwo raw_bytes_ = {};
  ByPowersOfTwo parcel_bytes_ = {};
  std::string remark_;
  int64_t remarks_ = 0;
  size_t reader_bytes_ = 0;
  size_t unpack_bytes_ = 0;
  int64_t parcel_rows_ = 1;
  int64_t readers_ = 0;
  std::shared_ptr<const RowSource> naming_;  // the first input, where columns have names there

  std::shared_ptr<RowSource> current_;
  size_t current_index_ = 0;
  // Read by inputs that are closed; inputs that blocks hold may outlive this.
  std::shared_ptr<std::atomic<uint64_t>> bytes_of_closed_ =
      std::make_shared<std::atomic<uint64_t>>(0);
};

}  // namespace rhohat
