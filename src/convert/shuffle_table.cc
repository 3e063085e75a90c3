#include "convert/shuffle_table.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/units.h"
#include "convert/write_rows.h"
#include "rhohat/error.h"
#include "sweep/memory_planner.h"

namespace rhohat {
namespace {

// Copies of a chunk while it is written: gathered, between its filters, and as it is stored.
constexpr uint64_t kChunksInHand = 4;
// HDF5 counts the bytes of a chunk, which holds at least one row, in 32 bits.
constexpr int64_t kMostRowBytes = (int64_t{1} << 32) - 1;

}  // namespace

Hdf5WriterOptions WriterOptions(const OutputOptions& output, const ShuffleTable& table) {
  Hdf5WriterOptions options = WriterOptions(output, table.type, table.rows, table.columns);
  options.dataset = table.dataset;
  return options;
}

ShuffleTable TableOf(const DataSet& data, const OutputOptions& output,
                     const ShuffleTuning& tuning) {
  ShuffleTable table{
      .rows = data.rows(),
      .columns = data.columns(),
      .type = {data.type().kind, false},
      .dataset = output.dataset.empty() ? data.files().front().dataset : output.dataset};
  const std::string where = data.files().front().where();
  const int64_t row_bytes =
      CheckedProduct(table.columns, static_cast<int64_t>(ElementBytes(table.type)), where);
  if (row_bytes > kMostRowBytes) {
    throw Error(ErrorKind::kBadData,
                fmt::format("{}: expected rows below 4 GiB, the most that HDF5 keeps in a chunk, "
                            "found {} columns of {}",
                            where, table.columns, ElementName(table.type)));
  }
  // Regions of the bucket file begin at whole pages, hence twice.
  CheckedProduct(CheckedProduct(table.rows, row_bytes + 8, where), 2, where);
  table.row_bytes = static_cast<size_t>(row_bytes);
  const auto widest = std::max(row_bytes, static_cast<int64_t>(data.MaxRawBytes(1)));
  table.block_rows = std::max<int64_t>(1, tuning.block_bytes / widest);
  const uint64_t block = static_cast<uint64_t>(table.block_rows) * table.row_bytes;
  const uint64_t reading = data.ReaderBytes() + data.MaxRawBytes(table.block_rows) +
                           data.ParcelBytes(table.block_rows) + data.UnpackBytes() + block;
  const uint64_t chunk =
      static_cast<uint64_t>(ChunkRowsOf(WriterOptions(output, table))) * table.row_bytes;
  const uint64_t writing = 2 * block + kChunksInHand * chunk;
  table.fixed_bytes = kProcessBytes + reading + writing;
  return table;
}

}  // namespace rhohat
