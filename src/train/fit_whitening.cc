#include "train/fit_whitening.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/units.h"
#include "math/blas.h"
#include "math/eigen.h"
#include "math/views.h"
#include "rhohat/error.h"
#include "sweep/moments.h"

namespace rhohat {
namespace {

size_t MatrixBytes(int64_t n) {
  return static_cast<size_t>(n) * static_cast<size_t>(n) * sizeof(double);
}

// Σ (x − μ)(x − μ)ᵀ: what a lane adds up.
class CovarianceSums {
 public:
  explicit CovarianceSums(int64_t n)
      : n_(n), sums_(static_cast<size_t>(n) * static_cast<size_t>(n)) {}

  void Clear() { std::ranges::fill(sums_.span(), 0.0); }
  void AddRows(MatrixView<const double> centred) {
    AddTransposedProduct<double>(centred, centred, view());
  }
  void Add(const CovarianceSums& other) {
    for (size_t i = 0; i < sums_.size(); ++i) sums_.data()[i] += other.sums_.data()[i];
  }

  MatrixView<double> view() const { return {sums_.data(), n_, n_}; }

 private:
  int64_t n_;
  AlignedBuffer<double> sums_;
};

std::vector<double> FindMeans(FitPasses& passes) {
  const int64_t n = passes.source().columns();
  const auto sums = passes.Run<ColumnMoments>(
      ColumnMoments::MemoryBytes(n), [n] { return ColumnMoments(n); },
      [](const Block<double>& block, ColumnMoments& lane) { lane.AddRows(block.rows); });
  std::vector<double> means;
  means.reserve(static_cast<size_t>(n));
  for (const Moments& moments : sums.columns()) means.push_back(moments.MeanInRange());
  return means;
}

// (1/m) Σ (x − μ)(x − μ)ᵀ.
CovarianceSums FindCovariance(FitPasses& passes, const std::vector<double>& means) {
  const int64_t n = passes.source().columns();
  std::vector<AlignedBuffer<double>> scratch;  // one a worker: a block less the means
  for (int64_t worker = 0; worker < passes.threads(); ++worker) {
    scratch.emplace_back(static_cast<size_t>(passes.block_rows()) * static_cast<size_t>(n));
  }
  CovarianceSums sums = passes.Run<CovarianceSums>(
      MatrixBytes(n), [n] { return CovarianceSums(n); },
      [&](const Block<double>& block, CovarianceSums& lane) {
        const MatrixView<const double> rows(block.rows.data(), block.range.size(), n);
        const MatrixView<double> centred(scratch[static_cast<size_t>(block.worker)].data(),
                                         rows.rows, n);
        for (int64_t i = 0; i < rows.rows; ++i) {
          for (int64_t j = 0; j < n; ++j) {
            centred.row(i)[j] = rows.row(i)[j] - means[static_cast<size_t>(j)];
          }
        }
        lane.AddRows(centred);
      });
  for (double& entry : sums.view().flat()) entry /= static_cast<double>(passes.source().rows());
  return sums;
}

// A variance that is no number tells of every overflow: |covariance| is never above both variances.
void CheckVariances(MatrixView<const double> covariance, const RowSource& source) {
  for (int64_t j = 0; j < covariance.columns; ++j) {
    if (std::isfinite(covariance.row(j)[j])) continue;
    throw Error(ErrorKind::kBadData,
                fmt::format("--prepare: {}: expected a variance that fits a double, found values "
                            "too far apart: scale the data down first",
                            source.ColumnName(j)));
  }
}

// out_k = factor_k · row_k.
void ScaleRows(MatrixView<const double> rows, std::span<const double> factors,
               MatrixView<double> out) {
  for (int64_t k = 0; k < rows.rows; ++k) {
    const double factor = factors[static_cast<size_t>(k)];
    for (int64_t j = 0; j < rows.columns; ++j) out.row(k)[j] = factor * rows.row(k)[j];
  }
}

// `vectors` holds the eigenvectors u_k as rows, so it is Uᵀ; out = U diag(factors) Uᵀ.
std::vector<double> Compose(MatrixView<const double> vectors, std::span<const double> factors,
                            MatrixView<double> scratch) {
  const int64_t n = vectors.rows;
  std::vector<double> out(static_cast<size_t>(vectors.size()), 0.0);
  ScaleRows(vectors, factors, scratch);
  AddTransposedProduct<double>(vectors, scratch, {out.data(), n, n});
  return out;
}

void MakeZca(MatrixView<const double> vectors, std::span<const double> deviations,
             std::span<const double> reciprocals, Preparation& preparation) {
  const AlignedBuffer<double> scratch(static_cast<size_t>(vectors.size()));
  const MatrixView<double> view(scratch.data(), vectors.rows, vectors.columns);
  preparation.matrix = Compose(vectors, reciprocals, view);
  preparation.inverse = Compose(vectors, deviations, view);
}

void MakePca(MatrixView<const double> vectors, std::span<const double> deviations,
             std::span<const double> reciprocals, Preparation& preparation) {
  const int64_t n = vectors.rows;
  preparation.matrix.resize(static_cast<size_t>(vectors.size()));
  preparation.inverse.resize(static_cast<size_t>(vectors.size()));
  ScaleRows(vectors, reciprocals, {preparation.matrix.data(), n, n});
  const MatrixView<double> inverse(preparation.inverse.data(), n, n);
  for (int64_t j = 0; j < n; ++j) {
    for (int64_t k = 0; k < n; ++k) {
      inverse.row(j)[k] = vectors.row(k)[j] * deviations[static_cast<size_t>(k)];
    }
  }
}

void CheckWhitenedWidth(int64_t inputs) {
  if (inputs <= kMostEigenvalues) return;
  const double bytes = static_cast<double>(inputs) * static_cast<double>(inputs) * sizeof(double);
  throw Error(ErrorKind::kUsage,
              fmt::format("--prepare: expected at most {0} columns to whiten, found {1}, of which "
                          "each {1}×{1} matrix takes {2}; standardize takes any number",
                          kMostEigenvalues, inputs,
                          FormatBytes(static_cast<uint64_t>(std::min(bytes, 9e18)))));
}

}  // namespace

void FitWhitening(FitPasses& passes, Preparation& preparation) {
  CheckWhitenedWidth(passes.source().columns());
  UseOneThreadPerProduct();
  preparation.shift = FindMeans(passes);
  const CovarianceSums sums = FindCovariance(passes, preparation.shift);
  const MatrixView<double> vectors = sums.view();
  CheckVariances(vectors, passes.source());
  if (passes.control().stop_requested()) throw Stopped("stopped on request");
  std::vector<double> deviations(static_cast<size_t>(vectors.rows));
  FindEigenvectors(vectors, deviations);
  std::vector<double> reciprocals;
  reciprocals.reserve(deviations.size());
  // No variance is negative: what rounding left below 0 is 0.
  for (double& deviation : deviations) {
    deviation = std::sqrt(std::max(deviation, 0.0) + preparation.options.epsilon);
    reciprocals.push_back(1 / deviation);
  }
  if (preparation.options.kind == PreparationKind::kZca) {
    MakeZca(vectors, deviations, reciprocals, preparation);
  } else {
    MakePca(vectors, deviations, reciprocals, preparation);
  }
}

size_t FitWhiteningBytes(int64_t inputs, int64_t block_rows, int64_t threads) {
  CheckWhitenedWidth(inputs);
  const auto n = static_cast<size_t>(inputs);
  const auto workers = static_cast<size_t>(threads);
  const size_t matrix = MatrixBytes(inputs);
  const size_t means =
      n * sizeof(double) + static_cast<size_t>(FitLanes(ColumnMoments::MemoryBytes(inputs))) *
                               ColumnMoments::MemoryBytes(inputs);
  const auto block_values = static_cast<size_t>(
      CheckedProduct(block_rows, inputs, "values in a block to fit a preparation"));
  const size_t covariance =
      static_cast<size_t>(FitLanes(matrix)) * matrix + workers * block_values * sizeof(double);
  // Covariance and workspace of the eigenvectors; then those, a copy that is scaled, and the
  // result.
  const size_t eigenvectors = std::max(matrix + EigenWorkspaceBytes(inputs), 4 * matrix);
  // What BLAS once took, for a thread or the caller, it keeps.
  const size_t products =
      (workers + 1) * ProductWorkspaceBytes(std::max(inputs, block_rows), sizeof(double));
  return products + 3 * n * sizeof(double) + std::max({means, covariance, eigenvectors});
}

}  // namespace rhohat
