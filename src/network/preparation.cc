#include "network/preparation.h"

#include <fmt/core.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <span>
#include <string_view>
#include <vector>

#include "base/units.h"
#include "math/blas.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

// Rows that are centred at a time for a product: enough that BLAS packs the matrix seldom.
constexpr int64_t kCentredRows = 256;

// kGlobal: ±kCut deviations become [kLow, kLow + 2 kSlope] (UFLDL's normalizeData).
constexpr double kCut = 3;
constexpr double kSlope = 0.4;
constexpr double kLow = 0.1;

bool Whitens(PreparationKind kind) {
  return kind == PreparationKind::kZca || kind == PreparationKind::kPca;
}

bool ScalesColumns(PreparationKind kind) {
  return kind == PreparationKind::kRange || kind == PreparationKind::kStandardize;
}

[[noreturn]] void ThrowUnusable(std::string_view what, std::string_view expected) {
  throw Error(ErrorKind::kBadData,
              fmt::format("preparation's {}: expected {}, found others", what, expected));
}

// Copies fitted numbers, which must be finite once they are rounded to `To`.
template <class To>
AlignedBuffer<To> CopyFinite(std::string_view what, const std::vector<double>& values,
                             int64_t expected_size) {
  if (static_cast<int64_t>(values.size()) != expected_size) {
    throw Error(ErrorKind::kBadData, fmt::format("preparation's {}: expected {} numbers, found {}",
                                                 what, expected_size, values.size()));
  }
  AlignedBuffer<To> copy(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    copy.data()[i] = static_cast<To>(values[i]);
    if (!std::isfinite(copy.data()[i])) ThrowUnusable(what, "finite numbers");
  }
  return copy;
}

double RowMean(const double* row, int64_t columns) {
  double sum = 0;
  for (int64_t j = 0; j < columns; ++j) sum += row[j];
  return sum / static_cast<double>(columns);
}

template <class T>
void ScaleRow(const double* row, const double* shift, const double* scale, int64_t columns,
              T* out) {
  for (int64_t j = 0; j < columns; ++j) {
    out[j] = static_cast<T>((row[j] - shift[j]) / scale[j]);
  }
}

template <class T>
void UnscaleRow(const T* row, const double* shift, const double* scale, int64_t columns, T* out) {
  for (int64_t j = 0; j < columns; ++j) {
    out[j] = static_cast<T>(static_cast<double>(row[j]) * scale[j] + shift[j]);
  }
}

template <class T>
void SquashRow(const double* row, double mean, double deviation, int64_t columns, T* out) {
  const double cut = kCut * deviation;
  for (int64_t j = 0; j < columns; ++j) {
    const double centred = std::clamp(row[j] - mean, -cut, cut);
    out[j] = static_cast<T>((centred / cut + 1) * kSlope + kLow);
  }
}

template <class T>
void UnsquashRow(const T* row, double mean, double deviation, int64_t columns, T* out) {
  const double cut = kCut * deviation;
  for (int64_t j = 0; j < columns; ++j) {
    out[j] = static_cast<T>(((static_cast<double>(row[j]) - kLow) / kSlope - 1) * cut + mean);
  }
}

}  // namespace

template <class T>
RowPreparation<T>::RowPreparation(const Preparation& preparation, int64_t inputs)
    : kind_(preparation.options.kind), inputs_(inputs), deviation_(preparation.deviation) {
  if (ScalesColumns(kind_) || Whitens(kind_)) {
    shift_ = CopyFinite<double>("shift", preparation.shift, inputs);
  }
  if (ScalesColumns(kind_)) {
    scale_ = CopyFinite<double>("scale", preparation.scale, inputs);
    const auto positive = [](double scale) { return scale > 0; };
    if (!std::ranges::all_of(scale_.span(), positive)) ThrowUnusable("scale", "positive numbers");
  }
  if (Whitens(kind_)) {
    const int64_t entries = CheckedProduct(inputs, inputs, "entries of the preparation's matrix");
    matrix_ = CopyFinite<T>("matrix", preparation.matrix, entries);
    inverse_ = CopyFinite<T>("inverse", preparation.inverse, entries);
  }
  if (kind_ == PreparationKind::kGlobal && !(deviation_ > 0 && std::isfinite(kCut * deviation_))) {
    throw Error(
        ErrorKind::kBadData,
        fmt::format("preparation's deviation: expected a number above 0, found {}", deviation_));
  }
}

template <class T>
bool RowPreparation<T>::does_nothing() const {
  return kind_ == PreparationKind::kNone;
}

template <class T>
bool RowPreparation<T>::whitens() const {
  return Whitens(kind_);
}

template <class T>
void RowPreparation<T>::Apply(MatrixView<const double> rows, MatrixView<T> prepared,
                              std::span<double> row_means) const {
  assert(rows.columns == inputs_ && prepared.columns == inputs_ && rows.rows == prepared.rows);
  if (whitens()) return Whiten(rows, prepared);
  for (int64_t i = 0; i < rows.rows; ++i) {
    const double* row = rows.row(i);
    T* out = prepared.row(i);
    if (kind_ == PreparationKind::kGlobal) {
      const double mean = RowMean(row, inputs_);
      SquashRow(row, mean, deviation_, inputs_, out);
      if (!row_means.empty()) row_means[static_cast<size_t>(i)] = mean;
    } else if (ScalesColumns(kind_)) {
      ScaleRow(row, shift_.data(), scale_.data(), inputs_, out);
    } else {
      std::transform(row, row + inputs_, out, [](double x) { return static_cast<T>(x); });
    }
  }
}

// Centred first: what a product would lose of a small spread around a large mean, nothing brings
// back.
template <class T>
void RowPreparation<T>::Whiten(MatrixView<const double> rows, MatrixView<T> prepared) const {
  const MatrixView<const T> matrix(matrix_.data(), inputs_, inputs_);
  const int64_t most = std::min(rows.rows, kCentredRows);
  const AlignedBuffer<T> centred(static_cast<size_t>(most) * static_cast<size_t>(inputs_));
  for (int64_t first = 0; first < rows.rows; first += most) {
    const int64_t count = std::min(most, rows.rows - first);
    for (int64_t i = 0; i < count; ++i) {
      const double* row = rows.row(first + i);
      T* out = centred.data() + i * inputs_;
      for (int64_t j = 0; j < inputs_; ++j) {
        out[j] = static_cast<T>(row[j] - shift_.data()[j]);
      }
    }
    MultiplyTransposed<T>({centred.data(), count, inputs_}, matrix,
                          {prepared.row(first), count, inputs_});
  }
}

template <class T>
void RowPreparation<T>::Unwhiten(MatrixView<const T> prepared, MatrixView<T> rows) const {
  MultiplyTransposed<T>(prepared, {inverse_.data(), inputs_, inputs_}, rows);
  for (int64_t i = 0; i < rows.rows; ++i) {
    T* row = rows.row(i);
    for (int64_t j = 0; j < inputs_; ++j) {
      row[j] = static_cast<T>(static_cast<double>(row[j]) + shift_.data()[j]);
    }
  }
}

template <class T>
void RowPreparation<T>::Undo(MatrixView<const T> prepared, std::span<const double> row_means,
                             MatrixView<T> rows) const {
  assert(prepared.columns == inputs_ && rows.columns == inputs_ && prepared.rows == rows.rows);
  if (whitens()) return Unwhiten(prepared, rows);
  for (int64_t i = 0; i < prepared.rows; ++i) {
    const T* row = prepared.row(i);
    T* out = rows.row(i);
    if (kind_ == PreparationKind::kGlobal) {
      UnsquashRow(row, row_means[static_cast<size_t>(i)], deviation_, inputs_, out);
    } else if (ScalesColumns(kind_)) {
      UnscaleRow(row, shift_.data(), scale_.data(), inputs_, out);
    } else if (row != out) {
      std::copy_n(row, inputs_, out);
    }
  }
}

template <class T>
size_t RowPreparation<T>::MemoryBytes(PreparationKind kind, int64_t inputs) {
  const auto n = static_cast<size_t>(inputs);
  if (Whitens(kind)) {
    const int64_t entries = CheckedProduct(inputs, inputs, "entries of the preparation's matrix");
    return n * sizeof(double) + 2 * static_cast<size_t>(entries) * sizeof(T);
  }
  return ScalesColumns(kind) ? 2 * n * sizeof(double) : 0;
}

template <class T>
size_t RowPreparation<T>::ApplyBytes(PreparationKind kind, int64_t inputs, int64_t rows) {
  if (!Whitens(kind)) return 0;
  const auto centred = static_cast<size_t>(std::min(rows, kCentredRows));
  return centred * static_cast<size_t>(inputs) * sizeof(T);
}

template class RowPreparation<float>;
template class RowPreparation<double>;

}  // namespace rhohat
