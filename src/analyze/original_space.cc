#include "analyze/original_space.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/units.h"
#include "math/blas.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

void CheckSize(const char* what, const std::vector<double>& values, int64_t expected) {
  if (std::ssize(values) == expected) return;
  throw Error(ErrorKind::kBadData, fmt::format("preparation's {}: expected {} numbers, found {}",
                                               what, expected, values.size()));
}

// x becomes (x − shift) / scale.
void DivideByScale(std::span<const double> scale, MatrixView<double> directions) {
  for (int64_t i = 0; i < directions.rows; ++i) {
    double* direction = directions.row(i);
    for (size_t j = 0; j < scale.size(); ++j) direction[j] /= scale[j];
  }
}

// x becomes P (x − shift); here Pᵀ x.
void MultiplyByMatrix(std::span<const double> matrix, MatrixView<double> directions) {
  const int64_t n = directions.columns;
  const AlignedBuffer<double> copy(static_cast<size_t>(directions.size()));
  std::ranges::copy(directions.flat(), copy.data());
  Multiply<double>({copy.data(), directions.rows, n}, {matrix.data(), n, n}, directions);
}

// x becomes x − mean(x), times a factor. What is left of equal values is rounding, and becomes 0.
void SubtractMean(std::span<double> direction) {
  double largest = 0;
  for (const double value : direction) largest = std::max(largest, std::fabs(value));
  const auto count = static_cast<double>(direction.size());
  const double mean = std::accumulate(direction.begin(), direction.end(), 0.0) / count;
  const double rounding = count * std::numeric_limits<double>::epsilon() * largest;
  for (double& value : direction) {
    value -= mean;
    if (std::fabs(value) <= rounding) value = 0;
  }
}

}  // namespace

void ToOriginalSpace(const Preparation& preparation, MatrixView<double> directions) {
  const int64_t n = directions.columns;
  switch (preparation.options.kind) {
    case PreparationKind::kNone:
      return;
    case PreparationKind::kRange:
    case PreparationKind::kStandardize:
      CheckSize("scale", preparation.scale, n);
      return DivideByScale(preparation.scale, directions);
    case PreparationKind::kGlobal:
      for (int64_t i = 0; i < directions.rows; ++i) {
        SubtractMean({directions.row(i), static_cast<size_t>(n)});
      }
      return;
    case PreparationKind::kZca:
    case PreparationKind::kPca:
      CheckSize("matrix", preparation.matrix,
                CheckedProduct(n, n, "entries of the preparation's matrix"));
      return MultiplyByMatrix(preparation.matrix, directions);
  }
}

}  // namespace rhohat
