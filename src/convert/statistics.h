// Statistics of columns, added up block by block.
//
// Each column has its moments (sweep/moments.h). Tiles are cut by a row's place in its block and by
// the number of columns alone, so that pieces, which follow chunks and files, change no bit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "data/row_source.h"
#include "rhohat/statistics.h"
#include "sweep/moments.h"

namespace rhohat {

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
