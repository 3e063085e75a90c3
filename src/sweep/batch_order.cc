#include "sweep/batch_order.h"

#include <algorithm>

namespace rhohat {
namespace {

int64_t Units(int64_t rows, int64_t unit_rows) { return (rows + unit_rows - 1) / unit_rows; }

}  // namespace

int64_t UnitRows(const RowSource& source) {
  // As large as what a data set's small chunks are put together to.
  constexpr int64_t kUnitBytes = int64_t{256} << 10;
  const auto element = static_cast<int64_t>(ElementBytes(source.type()));
  const int64_t in_unit = std::max<int64_t>(1, kUnitBytes / element / source.columns());
  const int64_t parcel = source.ParcelRows();
  return std::min(source.rows(), Units(in_unit, parcel) * parcel);
}

UnitOrder::UnitOrder(const BatchOrderOptions& options)
    : rows_(options.rows),
      unit_rows_(options.unit_rows),
      order_(options.seed, RandomPurpose::kBatchOrder, static_cast<uint64_t>(options.epoch),
             Units(options.rows, options.unit_rows)) {}

RowRange UnitOrder::operator()(int64_t position) const {
  const int64_t first = order_(position) * unit_rows_;
  return {first, std::min(rows_, first + unit_rows_)};
}

MixingMeter::MixingMeter(int64_t rows, int64_t unit_rows)
    : unit_rows_(unit_rows), last_batch_(static_cast<size_t>(Units(rows, unit_rows)), -1) {}

size_t MixingMeter::MemoryBytes(int64_t rows, int64_t unit_rows) {
  return static_cast<size_t>(Units(rows, unit_rows)) * sizeof(int64_t);
}

void MixingMeter::AddBatch(std::span<const int64_t> rows) {
  for (const int64_t row : rows) {
    int64_t& last = last_batch_[static_cast<size_t>(row / unit_rows_)];
    if (last == batches_) continue;
    last = batches_;
    ++units_;
  }
  ++batches_;
}

}  // namespace rhohat
