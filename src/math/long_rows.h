// Narrow rows taken several at a time, as one long row.
//
// A block has no gaps between its rows, so an elementwise kernel may be given many at once, where
// what belongs to a column (a bias, a sum) is repeated as often. What fills no vector register is
// then left over once in about a thousand values and not in every row, which at 25 columns is a
// third of the work and more than half of the time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <span>

namespace rhohat {

// How many rows of so many values make a long row: as many as come near to a thousand values, a
// multiple of the widest register if that can be; at least one.
inline int64_t RowsTogether(int64_t columns) {
  constexpr int64_t kValues = 1024;
  constexpr int64_t kRegister = 16;
  const int64_t rows = std::max<int64_t>(1, kValues / columns);
  const int64_t step = kRegister / std::gcd(columns, kRegister);
  return rows >= step ? rows / step * step : rows;
}

// Fills `repeated`, RowsTogether() times as long, with `row` again and again.
template <class T>
void RepeatRow(std::span<const T> row, std::span<T> repeated) {
  for (size_t begin = 0; begin < repeated.size(); begin += row.size()) {
    std::ranges::copy(row, repeated.begin() + static_cast<int64_t>(begin));
  }
}

// Calls function(first value, number of values) for each long row of rows × columns values.
template <class Function>
void ForEachLongRow(int64_t rows, int64_t columns, const Function& function) {
  const int64_t together = RowsTogether(columns);
  for (int64_t row = 0; row < rows; row += together) {
    function(row * columns, std::min(together, rows - row) * columns);
  }
}

// The same for a function of (first value, number of values, sums) that adds to one sum for each of
// its values; they are then added to the columns' `sums`, in order. `scratch` has RowsTogether()
// times as many.
template <class Function>
void AddLongRows(int64_t rows, int64_t columns, std::span<double> scratch, double* sums,
                 const Function& function) {
  const int64_t together = RowsTogether(columns);
  if (together == 1) {
    ForEachLongRow(rows, columns,
                   [&](int64_t first, int64_t count) { function(first, count, sums); });
    return;
  }
  const int64_t used = std::min(together, rows);
  const std::span<double> repeated = scratch.first(static_cast<size_t>(used * columns));
  std::ranges::fill(repeated, 0.0);
  ForEachLongRow(rows, columns,
                 [&](int64_t first, int64_t count) { function(first, count, repeated.data()); });
  for (int64_t row = 0; row < used; ++row) {
    for (int64_t j = 0; j < columns; ++j) {
      sums[j] += repeated[static_cast<size_t>(row * columns + j)];
    }
  }
}

}  // namespace rhohat
