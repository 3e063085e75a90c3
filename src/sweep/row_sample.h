// A random sample of the rows, held in memory: cheap to visit often, and grown by looking at more
// of it.
//
// A keyed permutation gives every row a place (base/keyed_permutation.h). The sample of k rows is
// those with places 0 to k − 1: exactly k of them, as likely to be any k whatever the order of the
// data, a function of the seed and the rows' numbers alone, and part of every larger sample.
//
// To look for single rows would take a seek and a chunk each, so all rows are read, once and in
// order, and those of the largest sample are kept. That pass, which decompresses everything and
// computes next to nothing, is what samples cost beside their memory. A row is put at its place, so
// what is held does not depend on threads. The sample of k rows is the first k that are held: the
// smaller samples take no memory of their own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/aligned_buffer.h"
#include "data/row_source.h"
#include "sweep/executor.h"
#include "sweep/row_pass.h"
#include "sweep/row_transform.h"

namespace rhohat {

// How rows are held: as T, or as they are stored where that takes less and nothing transforms them.
struct HeldFormat {
  ElementType type;
  int64_t columns = 0;
  size_t row_bytes = 0;

  template <class T>
  static HeldFormat Stored(const RowSource& source);
  template <class T>
  static HeldFormat Transformed(int64_t columns);

  // Of a sample of so many rows, held. Throws Error(kBadData) where the number does not fit.
  uint64_t MemoryBytes(int64_t rows) const;
};

// The rows of the largest sample, by place. Not to be changed once it is filled.
struct HeldSample {
  HeldFormat format;
  const RowSource* source = nullptr;  // where they come from
  std::vector<int64_t> numbers;       // the rows' numbers there
  AlignedBuffer<std::byte> bytes;

  int64_t rows() const { return static_cast<int64_t>(numbers.size()); }
  std::byte* row(int64_t place) const {
    return bytes.data() + static_cast<size_t>(place) * format.row_bytes;
  }
};

// What gathering a sample is told, and tells.
struct SampleOptions {
  uint64_t seed = 0;
  int64_t rows = 0;               // 1 to all
  RowPass::RowsDone rows_done;    // called as RowPass does
  SweepCounts* counts = nullptr;  // what the pass cost is added here
};

// Reads all rows of `source`, which must outlive the result, and keeps those of the sample, as they
// come from `transform` where that is not null. `pass` is how they are read, with its stop flag.
// Throws Error or Stopped.
template <class T>
HeldSample GatherSample(RowSource& source, Executor& executor, const SweepOptions& pass,
                        RowTransform<T>* transform, const SampleOptions& options);

// Some of the rows held, as a source of rows: those with places [first, last).
class SampledRows final : public RowSource {
 public:
  // `held` must outlive this.
  SampledRows(const HeldSample& held, RowRange places);

  int64_t rows() const override { return places_.size(); }
  int64_t columns() const override { return held_.format.columns; }
  ElementType type() const override { return held_.format.type; }
  size_t MaxRawBytes(int64_t /*count*/) const override { return 0; }
  size_t ReaderBytes() const override { return 0; }
  void Fetch(RowRange range, RawRows& out) override;
  // Where the row is in the source that it was taken from.
  std::string Locate(int64_t row) const override;
  bool NamesColumns() const override { return held_.source->NamesColumns(); }
  std::string ColumnName(int64_t column) const override { return held_.source->ColumnName(column); }
  uint64_t bytes_read() const override { return 0; }

  // The rows' numbers in the source that they were taken from.
  std::span<const int64_t> Numbers(RowRange range) const override;

 private:
  const HeldSample& held_;
  RowRange places_;
};

}  // namespace rhohat
