#include "convert/statistics.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "data/data_set.h"
#include "data/decode.h"
#include "sweep/memory_planner.h"
#include "sweep/row_pass.h"

namespace rhohat {

// Some rows of some columns as numbers, one row after another without gaps.
struct StatisticsSums::Tile {
  int64_t first_row = 0;  // in the block
  int64_t rows = 0;
  int64_t first_column = 0;
  int64_t columns = 0;
  alignas(64) std::array<double, kTileValues> values;

  const double* Row(int64_t row) const { return values.data() + row * columns; }

  // Brings the part of the piece that lies in the tile, if any.
  void Fill(const RawRows::Piece& piece) {
    const int64_t row_end = std::min(first_row + rows, piece.first_row + piece.rows);
    const int64_t column = std::max(first_column, piece.first_column);
    const int64_t column_end = std::min(first_column + columns, piece.first_column + piece.columns);
    if (column >= column_end) return;
    const size_t skipped =
        static_cast<size_t>(column - piece.first_column) * ElementBytes(piece.type);
    for (int64_t row = std::max(first_row, piece.first_row); row < row_end; ++row) {
      const std::byte* stored =
          piece.data + static_cast<size_t>(row - piece.first_row) * piece.row_stride + skipped;
      double* out = values.data() + (row - first_row) * columns + (column - first_column);
      DecodeElements(piece.type, stored, std::span(out, static_cast<size_t>(column_end - column)));
    }
  }
};

void StatisticsSums::Clear() {
  rows_ = 0;
  columns_.clear();
}

void StatisticsSums::AddRows(const RawRows& raw, int64_t columns) {
  columns_.resize(static_cast<size_t>(columns));
  rows_ += raw.range.size();
  const int64_t tile_rows = TileRows(columns);
  std::vector<const RawRows::Piece*> touching;
  Tile tile;
  for (tile.first_row = 0; tile.first_row < raw.range.size(); tile.first_row += tile_rows) {
    tile.rows = std::min(tile_rows, raw.range.size() - tile.first_row);
    touching.clear();
    for (const RawRows::Piece& piece : raw.pieces) {
      const bool touches = piece.first_row < tile.first_row + tile.rows &&
                           piece.first_row + piece.rows > tile.first_row;
      if (touches) touching.push_back(&piece);
    }
    for (tile.first_column = 0; tile.first_column < columns; tile.first_column += kTileColumns) {
      tile.columns = std::min(kTileColumns, columns - tile.first_column);
      for (const RawRows::Piece* piece : touching) tile.Fill(*piece);
      AddTile(tile);
    }
  }
}

void StatisticsSums::AddTile(const Tile& tile) {
  std::array<Moments, kTileColumns> of_tile;
  const auto moments = std::span(of_tile).first(static_cast<size_t>(tile.columns));
  FindTileMoments(tile.values.data(), tile.rows, tile.columns, moments);
  for (int64_t j = 0; j < tile.columns; ++j) {
    Column& column = columns_[static_cast<size_t>(tile.first_column + j)];
    const Moments& of_column = moments[static_cast<size_t>(j)];
    if (of_column.count == 0) {
      AddUnusual(tile, j, column);
    } else {
      column.moments.Merge(of_column);
    }
  }
}

// One column of a tile, value by value: for what is rare.
void StatisticsSums::AddUnusual(const Tile& tile, int64_t index, Column& column) {
  for (int64_t i = 0; i < tile.rows; ++i) {
    const double x = tile.Row(i)[index];
    if (std::isnan(x)) {
      ++column.nans;
    } else if (std::isinf(x)) {
      ++column.infinities;
    } else {
      column.moments.Merge(Moments::Of(x));
    }
  }
}

void StatisticsSums::Add(const StatisticsSums& other) {
  if (other.rows_ == 0) return;
  columns_.resize(other.columns_.size());
  rows_ += other.rows_;
  for (size_t j = 0; j < columns_.size(); ++j) {
    columns_[j].moments.Merge(other.columns_[j].moments);
    columns_[j].nans += other.columns_[j].nans;
    columns_[j].infinities += other.columns_[j].infinities;
  }
}

ColumnStatistics StatisticsSums::Describe(const Column& column) {
  const Moments& moments = column.moments;
  ColumnStatistics statistics{
      .nans = column.nans, .infinities = column.infinities, .finite = moments.count};
  if (moments.count == 0) {
    constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
    statistics.minimum = statistics.maximum = statistics.mean = statistics.deviation = kNaN;
    return statistics;
  }
  statistics.minimum = moments.minimum;
  statistics.maximum = moments.maximum;
  statistics.mean = moments.MeanInRange();
  statistics.deviation = moments.Deviation();
  return statistics;
}

DataStatistics StatisticsSums::Finish() const {
  DataStatistics statistics{.rows = rows_, .columns = static_cast<int64_t>(columns_.size())};
  statistics.of_column.reserve(columns_.size());
  Column all;
  for (const Column& column : columns_) {
    statistics.of_column.push_back(Describe(column));
    all.moments.Merge(column.moments);
    all.nans += column.nans;
    all.infinities += column.infinities;
  }
  statistics.overall = Describe(all);
  return statistics;
}

size_t StatisticsSums::MemoryBytes(int64_t columns) {
  return static_cast<size_t>(columns) * sizeof(Column);
}

namespace {

// Both follow from the data alone, so that the result does too.
int64_t BlockRows(int64_t columns) {
  constexpr int64_t kBlockValues = int64_t{1} << 19;
  return std::clamp<int64_t>(kBlockValues / columns, 1, 4096);
}

size_t LaneCount(int64_t columns) {
  constexpr size_t kMostBytes = size_t{64} << 20;
  size_t lanes = 16;
  while (lanes > 1 && lanes * StatisticsSums::MemoryBytes(columns) > kMostBytes) lanes /= 2;
  return lanes;
}

}  // namespace

DataStatistics ComputeStatistics(const DataOptions& data, const ResourceOptions& resources,
                                 const RunControl& control) {
  DataSet source(data);
  const int64_t columns = source.columns();
  const int64_t block_rows = BlockRows(columns);
  std::vector<StatisticsSums> lanes(LaneCount(columns));
  MemoryPlanner planner(source, Resolve(resources), block_rows);
  planner.Add("statistics", lanes.size() * StatisticsSums::MemoryBytes(columns),
              fmt::format("{} lanes × {} columns", lanes.size(), columns));
  const MemoryPlan plan = planner.Finish();
  Executor executor(plan.threads);
  RowPass pass(source, executor,
               {.block_rows = block_rows,
                .lanes = static_cast<int64_t>(lanes.size()),
                .blocks_ahead = plan.blocks_ahead,
                .stop = control.stop});
  if (control.observer != nullptr) {
    pass.set_rows_done([&](int64_t done) { control.observer->OnRows(done, source.rows()); });
  }
  pass.Run([&](const RawBlock& block) {
    lanes[static_cast<size_t>(block.lane)].AddRows(*block.rows, columns);
  });
  for (size_t distance = 1; distance < lanes.size(); distance *= 2) {
    for (size_t lane = 0; lane + distance < lanes.size(); lane += 2 * distance) {
      lanes[lane].Add(lanes[lane + distance]);
    }
  }
  return lanes[0].Finish();
}

}  // namespace rhohat
