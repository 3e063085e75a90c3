// A row source in memory, for tests that are not about files.
#pragma once

#include <atomic>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "base/keyed_random.h"
#include "data/row_source.h"

namespace rhohat {

// Rows of float64. `before_fetch`, if set, is called with each range that is asked for.
class VectorSource : public RowSource {
 public:
  VectorSource(int64_t rows, int64_t columns, std::vector<double> values)
      : rows_(rows), columns_(columns), values_(std::move(values)) {}

  // Uniform in [0.1, 0.9], a function of the seed.
  static VectorSource Random(int64_t rows, int64_t columns, uint64_t seed) {
    const KeyedRandom random(seed, RandomPurpose::kGradientSample);
    std::vector<double> values(static_cast<size_t>(rows * columns));
    for (size_t i = 0; i < values.size(); ++i) values[i] = 0.1 + 0.8 * random.Uniform(i);
    return {rows, columns, std::move(values)};
  }

  VectorSource(VectorSource&& other) noexcept
      : rows_(other.rows_), columns_(other.columns_), values_(std::move(other.values_)) {}

  int64_t rows() const override { return rows_; }
  int64_t columns() const override { return columns_; }
  ElementType type() const override { return {ElementKind::kFloat64, false}; }
  size_t MaxRawBytes(int64_t count) const override {
    return static_cast<size_t>(count * columns_) * sizeof(double);
  }
  size_t ReaderBytes() const override { return 0; }
  void Fetch(RowRange range, RawRows& out) override {
    if (before_fetch) before_fetch(range);
    out.range = range;
    out.bytes.resize(MaxRawBytes(range.size()));
    std::memcpy(out.bytes.data(), values_.data() + range.begin * columns_, out.bytes.size());
    out.SetOnePiece(type(), columns_);
    bytes_read_ += out.bytes.size();
  }
  std::string Locate(int64_t row) const override { return "memory row " + std::to_string(row); }
  uint64_t bytes_read() const override { return bytes_read_; }

  const std::vector<double>& values() const { return values_; }

  std::function<void(RowRange)> before_fetch;

 private:
  int64_t rows_;
  int64_t columns_;
  std::vector<double> values_;
  std::atomic<uint64_t> bytes_read_ = 0;
};

}  // namespace rhohat
