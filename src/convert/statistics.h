// Statistics of columns, added up block by block.
//
// Each column has its moments: count, mean, and the sum of squared deviations from that mean. Two
// sets of moments are merged by the formulas of Chan, Golub and LeVeque ("Updating formulae and a
// pairwise algorithm for computing sample variances", 1979), which never subtract two large sums of
// squares, so that a small spread around a large mean survives.
//
// Values enter in tiles of a few rows: a tile's own mean first, then its deviations from it, both
// while the tile is in the first-level cache. Tiles are cut by a row's place in its block and by
// the number of columns alone, so that pieces, which follow chunks and files, change no bit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "data/row_source.h"
#include "rhohat/statistics.h"

namespace rhohat {

// Of finite values.
struct Moments {
  int64_t count = 0;
  double mean = 0;
  double squares = 0;  // Σ (x − mean)²
  double minimum = std::numeric_limits<double>::infinity();
  double maximum = -std::numeric_limits<double>::infinity();

  void Merge(const Moments& other);
};

// What a lane adds up. Not thread-safe.
class StatisticsSums {
 public:
  void Clear();

  // Adds rows that are unpacked. `columns` must be the same in every call after Clear().
  void AddRows(const RawRows& raw, int64_t columns);

  // Adds the rows of another lane.
  void Add(const StatisticsSums& other);

  DataStatistics Finish() const;

  static size_t MemoryBytes(int64_t columns);

 private:
  struct Column {
    Moments moments;
    int64_t nans = 0;
    int64_t infinities = 0;
  };
  struct Tile;

  void AddTile(const Tile& tile);
  static void AddUnusual(const Tile& tile, int64_t index, Column& column);
  static ColumnStatistics Describe(const Column& column);

  int64_t rows_ = 0;
  std::vector<Column> columns_;
};

}  // namespace rhohat
