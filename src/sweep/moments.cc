#include "sweep/moments.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>

namespace rhohat {
namespace {

// Narrow data has more rows in a tile, but not so many that a tile's plain sum loses digits.
constexpr int64_t kMostTileRows = 256;

// Of a tile's columns.
struct TileSums {
  std::array<double, kTileColumns> minimum;
  std::array<double, kTileColumns> maximum;
  std::array<double, kTileColumns> mean;
  std::array<double, kTileColumns> rest;  // Σ (x − mean): what rounding left of the mean
  std::array<double, kTileColumns> squares;
};

void AddToSums(const double* __restrict x, int64_t columns, double* __restrict sum,
               double* __restrict minimum, double* __restrict maximum) {
  for (int64_t j = 0; j < columns; ++j) {
    sum[j] += x[j];
    minimum[j] = x[j] < minimum[j] ? x[j] : minimum[j];
    maximum[j] = x[j] > maximum[j] ? x[j] : maximum[j];
  }
}

void AddDeviations(const double* __restrict x, int64_t columns, const double* __restrict mean,
                   double* __restrict rest, double* __restrict squares) {
  for (int64_t j = 0; j < columns; ++j) {
    const double deviation = x[j] - mean[j];
    rest[j] += deviation;
    squares[j] += deviation * deviation;
  }
}

// Σ (x − m)² about the true mean, given it about a mean that is off by rest / count.
double CorrectedSquares(double squares, double rest, int64_t count) {
  if (!std::isfinite(squares)) return squares;
  return std::max(0.0, squares - rest * (rest / static_cast<double>(count)));
}

}  // namespace

void Moments::Merge(const Moments& other) {
  if (other.count == 0) return;
  if (count == 0) {
    *this = other;
    return;
  }
  const double here = static_cast<double>(count);
  const double there = static_cast<double>(other.count);
  const double share = there / (here + there);
  const double distance = other.mean - mean;
  // Means so far apart that their distance is no double are no means to lose digits of.
  mean =
      std::isfinite(distance) ? mean + distance * share : mean * (1 - share) + other.mean * share;
  squares += other.squares + distance * distance * (here * share);
  minimum = std::min(minimum, other.minimum);
  maximum = std::max(maximum, other.maximum);
  count += other.count;
}

double Moments::Deviation() const {
  if (count == 0) return std::numeric_limits<double>::quiet_NaN();
  // Equal values are told from their range: rounding may leave a trace in the squares.
  return minimum == maximum ? 0 : std::sqrt(squares / static_cast<double>(count));
}

double Moments::MeanInRange() const {
  if (count == 0) return std::numeric_limits<double>::quiet_NaN();
  return std::clamp(mean, minimum, maximum);
}

int64_t TileRows(int64_t columns) {
  return std::min(kMostTileRows, kTileValues / std::min(columns, kTileColumns));
}

void FindTileMoments(const double* values, int64_t rows, int64_t stride,
                     std::span<Moments> moments) {
  const auto columns = static_cast<int64_t>(moments.size());
  assert(columns <= kTileColumns);
  TileSums sums;
  sums.mean.fill(0);
  sums.rest.fill(0);
  sums.squares.fill(0);
  sums.minimum.fill(Moments().minimum);
  sums.maximum.fill(Moments().maximum);
  for (int64_t i = 0; i < rows; ++i) {
    AddToSums(values + i * stride, columns, sums.mean.data(), sums.minimum.data(),
              sums.maximum.data());
  }
  const double count = static_cast<double>(rows);
  for (double& mean : sums.mean) mean /= count;
  for (int64_t i = 0; i < rows; ++i) {
    AddDeviations(values + i * stride, columns, sums.mean.data(), sums.rest.data(),
                  sums.squares.data());
  }
  for (size_t j = 0; j < moments.size(); ++j) {
    moments[j] = {};
    // NaN and infinities show in the sums; a sum of finite values may overflow as well.
    if (!std::isfinite(sums.mean[j]) || !std::isfinite(sums.rest[j])) continue;
    moments[j] = {.count = rows,
                  .mean = sums.mean[j] + sums.rest[j] / count,
                  .squares = CorrectedSquares(sums.squares[j], sums.rest[j], rows),
                  .minimum = sums.minimum[j],
                  .maximum = sums.maximum[j]};
  }
}

void ColumnMoments::Clear() { std::fill(columns_.begin(), columns_.end(), Moments()); }

void ColumnMoments::AddRows(std::span<const double> rows) {
  const auto columns = static_cast<int64_t>(columns_.size());
  const int64_t count = static_cast<int64_t>(rows.size()) / columns;
  const int64_t tile_rows = TileRows(columns);
  std::array<Moments, kTileColumns> of_tile;
  for (int64_t row = 0; row < count; row += tile_rows) {
    const int64_t rows_here = std::min(tile_rows, count - row);
    for (int64_t column = 0; column < columns; column += kTileColumns) {
      const int64_t columns_here = std::min(kTileColumns, columns - column);
      const double* values = rows.data() + row * columns + column;
      const auto moments = std::span(of_tile).first(static_cast<size_t>(columns_here));
      FindTileMoments(values, rows_here, columns, moments);
      for (int64_t j = 0; j < columns_here; ++j) {
        Moments& sum = columns_[static_cast<size_t>(column + j)];
        sum.Merge(moments[static_cast<size_t>(j)]);
        if (moments[static_cast<size_t>(j)].count > 0) continue;
        for (int64_t i = 0; i < rows_here; ++i) sum.Merge(Moments::Of(values[i * columns + j]));
      }
    }
  }
}

void ColumnMoments::Add(const ColumnMoments& other) {
  for (size_t j = 0; j < columns_.size(); ++j) columns_[j].Merge(other.columns_[j]);
}

}  // namespace rhohat
