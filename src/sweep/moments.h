// Moments of columns, added up block by block: what statistics and preparations are made of.
//
// A column's moments are its count, its mean, and the sum of squared deviations from that mean. Two
// sets of moments are merged by the formulas of Chan, Golub and LeVeque ("Updating formulae and a
// pairwise algorithm for computing sample variances", 1979), which never subtract two large sums of
// squares, so that a small spread around a large mean survives.
//
// Values enter in tiles of a few rows: a tile's own mean first, then its deviations from it, both
// while the tile is in the first-level cache. Tiles are cut by a row's place in its block and by
// the number of columns alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace rhohat {

// Of finite values.
struct Moments {
  int64_t count = 0;
  double mean = 0;
  double squares = 0;  // Σ (x − mean)²
  double minimum = std::numeric_limits<double>::infinity();
  double maximum = -std::numeric_limits<double>::infinity();

  void Merge(const Moments& other);

  // Of one value.
  static Moments Of(double x) { return {.count = 1, .mean = x, .minimum = x, .maximum = x}; }

  // Of the population; 0 where all values are equal, infinite where it is no double. NaN where
  // there is no value, as mean() is.
  double Deviation() const;

  // The mean without what rounding may have put outside the values' range.
  double MeanInRange() const;
};

// 32 KiB of doubles: what the first-level cache holds.
inline constexpr int64_t kTileValues = 4096;
inline constexpr int64_t kTileColumns = 128;

// Rows of a tile of data with so many columns.
int64_t TileRows(int64_t columns);

// Moments of each column of a tile, whose rows begin `stride` values apart. `columns`, the length
// of `moments`, is at most kTileColumns. A column whose sum is not finite, for NaN, infinity or
// overflow, gets a count of 0 and is to be added value by value.
void FindTileMoments(const double* values, int64_t rows, int64_t stride,
                     std::span<Moments> moments);

// Moments of all columns of rows of finite values: what a lane adds up. Not thread-safe.
class ColumnMoments {
 public:
  explicit ColumnMoments(int64_t columns) : columns_(static_cast<size_t>(columns)) {}

  void Clear();
  void AddRows(std::span<const double> rows /* any × columns */);
  void Add(const ColumnMoments& other);

  std::span<const Moments> columns() const { return columns_; }

  static size_t MemoryBytes(int64_t columns) {
    return static_cast<size_t>(columns) * sizeof(Moments);
  }

 private:
  std::vector<Moments> columns_;
};

}  // namespace rhohat
