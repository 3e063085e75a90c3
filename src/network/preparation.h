// The preparation of rows (docs/math.md §8), done to one block and undone.
#pragma once

#include <cstdint>
#include <span>

#include "base/aligned_buffer.h"
#include "math/views.h"
#include "rhohat/preparation.h"

namespace rhohat {

// A fitted Preparation, its matrices rounded to T. What is done entry by entry is computed in
// double, so that a small spread around a large mean survives in float. Thread-safe once made.
template <class T>
class RowPreparation {
 public:
  // `inputs` is the rows' width. Throws Error(kBadData) where `preparation` was fitted to another
  // width or its numbers cannot be used.
  RowPreparation(const Preparation& preparation, int64_t inputs);

  bool does_nothing() const;

  // prepared = the preparation of rows; both B×n. Rows are taken in double: where a column is far
  // from zero, its spread would be lost in float. `row_means`, B or none, gets what kGlobal takes
  // off each row.
  void Apply(MatrixView<const double> rows, MatrixView<T> prepared,
             std::span<double> row_means = {}) const;

  // Whether Apply() and Undo() are matrix products, which need memory for their result.
  bool whitens() const;

  // rows = what `prepared` would have been made from; both B×n, and may be the same memory unless
  // whitens(). kGlobal forgets what was cut off, and a row's mean, which is taken from `row_means`
  // (B) as Apply() gave them; elsewhere they are not looked at.
  void Undo(MatrixView<const T> prepared, std::span<const double> row_means,
            MatrixView<T> rows) const;

  // What the object allocates.
  static size_t MemoryBytes(PreparationKind kind, int64_t inputs);

  // What one Apply() to so many rows allocates while it runs, beside what BLAS takes for products
  // of n×n matrices (ProductWorkspaceBytes).
  static size_t ApplyBytes(PreparationKind kind, int64_t inputs, int64_t rows);

 private:
  void Whiten(MatrixView<const double> rows, MatrixView<T> prepared) const;
  void Unwhiten(MatrixView<const T> prepared, MatrixView<T> rows) const;

  PreparationKind kind_;
  int64_t inputs_;
  double deviation_;
  AlignedBuffer<double> shift_;  // n
  AlignedBuffer<double> scale_;  // n
  AlignedBuffer<T> matrix_;      // n×n
  AlignedBuffer<T> inverse_;     // n×n
};

}  // namespace rhohat
