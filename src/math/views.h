// Views of matrices: who owns the numbers is somebody else's business.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>

namespace rhohat {

// A row-major matrix without gaps between rows. T may be const.
template <class T>
struct MatrixView {
  T* data = nullptr;
  int64_t rows = 0;
  int64_t columns = 0;

  MatrixView() = default;
  MatrixView(T* data_in, int64_t rows_in, int64_t columns_in)
      : data(data_in), rows(rows_in), columns(columns_in) {}
  // A view of non-const elements is a view of const ones too.
  operator MatrixView<const T>() const { return {data, rows, columns}; }  // NOLINT

  int64_t size() const { return rows * columns; }
  T* row(int64_t index) const {
    assert(index >= 0 && index < rows);
    return data + index * columns;
  }
  std::span<T> flat() const { return {data, static_cast<size_t>(size())}; }
};

}  // namespace rhohat
