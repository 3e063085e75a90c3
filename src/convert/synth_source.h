// Synthetic rows: each is painted when it is asked for, in the compute threads, and kept nowhere.
#pragma once

#include "convert/dead_leaves.h"
#include "data/row_source.h"

namespace rhohat {

class SynthSource final : public RowSource {
 public:
  // `rows` patches of the dead-leaves model, at most kMostDeadLeavesRows; row i is patch i, so that
  // any number of rows begin alike.
  SynthSource(const DeadLeavesOptions& options, uint64_t seed, int64_t rows);

  int64_t rows() const override { return rows_; }
  int64_t columns() const override { return columns_; }
  ElementType type() const override { return {ElementKind::kFloat32, false}; }
  size_t MaxRawBytes(int64_t count) const override;
  size_t ReaderBytes() const override { return 0; }
  size_t UnpackBytes() const override { return LeafCanvas::MemoryBytes(height_, width_); }
  // Notes the range, which may be any, and makes room.
  void Fetch(RowRange range, RawRows& out) override;
  // Paints.
  void Unpack(RawRows& rows) const override;
  std::string Locate(int64_t row) const override;
  uint64_t bytes_read() const override { return 0; }

 private:
  DeadLeaves leaves_;
  int64_t height_;
  int64_t width_;
  int64_t columns_;
  int64_t rows_;
};

}  // namespace rhohat
