#include "math/eigen.h"

#include <cblas.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <string>

#include "base/aligned_buffer.h"
#include "math/blas.h"
#include "rhohat/error.h"

// OpenBLAS brings LAPACK but no header for it. Fortran passes the lengths of strings behind the
// other arguments.
extern "C" void dsyevd_(const char* jobz, const char* uplo, const blasint* n, double* a,
                        const blasint* lda, double* w, double* work, const blasint* lwork,
                        blasint* iwork, const blasint* liwork, blasint* info, size_t jobz_length,
                        size_t uplo_length);

namespace rhohat {
namespace {

// The least that LAPACK's documentation of dsyevd asks for.
int64_t WorkDoubles(int64_t n) { return 1 + 6 * n + 2 * n * n; }
int64_t WorkIntegers(int64_t n) { return 3 + 5 * n; }

void MakeLargestEntryPositive(std::span<double> vector) {
  const auto largest = std::max_element(
      vector.begin(), vector.end(), [](double a, double b) { return std::abs(a) < std::abs(b); });
  if (*largest >= 0) return;
  for (double& entry : vector) entry = -entry;
}

}  // namespace

void FindEigenvectors(MatrixView<double> matrix, std::span<double> values) {
  const int64_t n = matrix.rows;
  assert(n > 0 && matrix.columns == n && static_cast<int64_t>(values.size()) == n);
  if (n > kMostEigenvalues) {
    throw Error(ErrorKind::kUsage, "eigenvectors: expected a matrix of at most " +
                                       std::to_string(kMostEigenvalues) + " columns, found " +
                                       std::to_string(n));
  }
  UseOneThreadPerProduct();
  const AlignedBuffer<double> work(static_cast<size_t>(WorkDoubles(n)));
  const AlignedBuffer<blasint> integers(static_cast<size_t>(WorkIntegers(n)));
  const auto size = static_cast<blasint>(n);
  const auto work_size = static_cast<blasint>(work.size());
  const auto integers_size = static_cast<blasint>(integers.size());
  blasint info = 0;
  // What is a column to Fortran is a row here: eigenvectors come as rows.
  dsyevd_("V", "L", &size, matrix.data, &size, values.data(), work.data(), &work_size,
          integers.data(), &integers_size, &info, 1, 1);
  if (info != 0) {
    throw Error(ErrorKind::kInternal,
                "eigenvectors of a " + std::to_string(n) + "×" + std::to_string(n) +
                    " matrix: LAPACK's dsyevd ended with " + std::to_string(info));
  }
  // LAPACK's order is ascending.
  std::reverse(values.begin(), values.end());
  for (int64_t low = 0, high = n - 1; low < high; ++low, --high) {
    std::swap_ranges(matrix.row(low), matrix.row(low) + n, matrix.row(high));
  }
  for (int64_t row = 0; row < n; ++row) {
    MakeLargestEntryPositive({matrix.row(row), static_cast<size_t>(n)});
  }
}

size_t EigenWorkspaceBytes(int64_t n) {
  return static_cast<size_t>(WorkDoubles(n)) * sizeof(double) +
         static_cast<size_t>(WorkIntegers(n)) * sizeof(blasint) + ProductWorkspaceBytes(n, 8);
}

}  // namespace rhohat
