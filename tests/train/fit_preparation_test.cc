#include "train/fit_preparation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "math/views.h"
#include "network/preparation.h"
#include "rhohat/error.h"
#include "tests/support/vector_source.h"

namespace rhohat {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr PreparationOptions kStandardize{.kind = PreparationKind::kStandardize};
constexpr PreparationOptions kGlobal{.kind = PreparationKind::kGlobal};
constexpr PreparationOptions Zca(double epsilon) {
  return {.kind = PreparationKind::kZca, .epsilon = epsilon};
}
constexpr PreparationOptions Pca(double epsilon) {
  return {.kind = PreparationKind::kPca, .epsilon = epsilon};
}

Preparation Fit(const PreparationOptions& options, VectorSource& source, int64_t threads = 2,
                int64_t block_rows = 16, const RunControl& control = {}) {
  Executor executor(threads);
  return FitPreparation(options, source, executor, block_rows, 6, control);
}

// Columns of different means and spreads that depend on each other.
VectorSource Correlated(int64_t rows, int64_t columns, uint64_t seed, double offset = 0) {
  const VectorSource noise = VectorSource::Random(rows, columns, seed);
  std::vector<double> values = noise.values();
  for (int64_t i = 0; i < rows; ++i) {
    double* row = values.data() + i * columns;
    for (int64_t j = 1; j < columns; ++j) row[j] = 0.6 * row[j - 1] + row[j];
    for (int64_t j = 0; j < columns; ++j) {
      row[j] = offset + static_cast<double>(j + 1) * (row[j] - 0.25);
    }
  }
  return {rows, columns, std::move(values)};
}

std::vector<long double> MeansOf(const VectorSource& source) {
  const auto n = static_cast<size_t>(source.columns());
  std::vector<long double> means(n, 0);
  for (size_t i = 0; i < source.values().size(); ++i) means[i % n] += source.values()[i];
  for (long double& mean : means) mean /= static_cast<long double>(source.rows());
  return means;
}

// (1/m) Σ (x − μ)(x − μ)ᵀ, entry by entry in long double.
std::vector<double> CovarianceOf(const VectorSource& source) {
  const auto n = static_cast<size_t>(source.columns());
  const std::vector<long double> means = MeansOf(source);
  std::vector<double> covariance(n * n);
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j < n; ++j) {
      long double sum = 0;
      for (size_t row = 0; row < source.values().size(); row += n) {
        sum += (source.values()[row + i] - means[i]) * (source.values()[row + j] - means[j]);
      }
      covariance[i * n + j] = static_cast<double>(sum / static_cast<long double>(source.rows()));
    }
  }
  return covariance;
}

// a · b of square matrices; b transposed if asked.
std::vector<double> Product(const std::vector<double>& a, const std::vector<double>& b,
                            bool transposed = false) {
  const auto n = static_cast<size_t>(std::lround(std::sqrt(static_cast<double>(a.size()))));
  std::vector<double> out(n * n);
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j < n; ++j) {
      for (size_t k = 0; k < n; ++k) {
        out[i * n + j] += a[i * n + k] * (transposed ? b[j * n + k] : b[k * n + j]);
      }
    }
  }
  return out;
}

void ExpectIdentity(const std::vector<double>& matrix, size_t n, double tolerance) {
  for (size_t i = 0; i < matrix.size(); ++i) {
    EXPECT_NEAR(matrix[i], i % (n + 1) == 0 ? 1 : 0, tolerance) << "entry " << i;
  }
}

VectorSource Prepared(const Preparation& preparation, const VectorSource& source) {
  const RowPreparation<double> rows(preparation, source.columns());
  std::vector<double> prepared(source.values().size());
  rows.Apply(MatrixView<const double>(source.values().data(), source.rows(), source.columns()),
             {prepared.data(), source.rows(), source.columns()});
  return {source.rows(), source.columns(), std::move(prepared)};
}

class Notes : public RunObserver {
 public:
  void OnNote(const std::string& line) override { notes.push_back(line); }
  void OnRows(int64_t done, int64_t total) override {
    last_done = std::max(last_done, done);
    last_total = total;
  }
  std::vector<std::string> notes;
  int64_t last_done = 0;
  int64_t last_total = 0;
};

template <class Function>
std::string FaultOfKind(ErrorKind kind, const Function& function) {
  try {
    function();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind);
    return error.what();
  }
  return "nothing was thrown";
}

TEST(FitPreparationTest, NoneAndRangeReadNothing) {
  VectorSource source = VectorSource::Random(10, 3, 1);
  source.before_fetch = [](RowRange) { FAIL() << "the rows were read"; };
  const Preparation none = Fit({}, source);
  EXPECT_THAT(none.shift, IsEmpty());
  EXPECT_THAT(none.scale, IsEmpty());
  const PreparationOptions options{.kind = PreparationKind::kRange, .low = -2, .high = 6};
  const Preparation range = Fit(options, source);
  EXPECT_EQ(range.options, options);
  EXPECT_THAT(range.shift, ElementsAre(-2, -2, -2));
  EXPECT_THAT(range.scale, ElementsAre(8, 8, 8));
}

TEST(FitPreparationTest, StandardizeKnowsMeanAndPopulationDeviationOfEachColumn) {
  for (const auto& [rows, columns] : {std::pair<int64_t, int64_t>{2, 1}, {301, 7}, {57, 300}}) {
    VectorSource source = Correlated(rows, columns, 2);
    const Preparation fitted = Fit(kStandardize, source);
    const std::vector<long double> means = MeansOf(source);
    const auto n = static_cast<size_t>(columns);
    ASSERT_EQ(fitted.shift.size(), n);
    ASSERT_EQ(fitted.scale.size(), n);
    for (size_t j = 0; j < n; ++j) {
      long double squares = 0;
      for (size_t i = j; i < source.values().size(); i += n) {
        squares += (source.values()[i] - means[j]) * (source.values()[i] - means[j]);
      }
      const double deviation =
          static_cast<double>(std::sqrt(squares / static_cast<long double>(rows)));
      EXPECT_NEAR(fitted.shift[j], static_cast<double>(means[j]), 1e-13 * deviation);
      EXPECT_NEAR(fitted.scale[j], deviation, 1e-13 * deviation);
    }
  }
}

TEST(FitPreparationTest, StandardizedColumnsHaveMeanZeroAndVarianceOne) {
  VectorSource source = Correlated(500, 6, 3);
  const VectorSource prepared = Prepared(Fit(kStandardize, source), source);
  const std::vector<double> covariance = CovarianceOf(prepared);
  for (const long double mean : MeansOf(prepared)) EXPECT_NEAR(static_cast<double>(mean), 0, 1e-13);
  for (size_t j = 0; j < 6; ++j) EXPECT_NEAR(covariance[j * 7], 1, 1e-12);
}

TEST(FitPreparationTest, ConstantColumnsGetScaleOneAndANote) {
  VectorSource source(4, 3, {0.1, 1, 5, 0.1, 2, 5, 0.1, 3, 5, 0.1, 4, 5});
  Notes notes;
  const Preparation fitted = Fit(kStandardize, source, 2, 2, {.observer = &notes});
  EXPECT_THAT(fitted.shift, ElementsAre(0.1, 2.5, 5));
  EXPECT_THAT(fitted.scale, ElementsAre(1, std::sqrt(1.25), 1));
  ASSERT_EQ(notes.notes.size(), 1U);
  EXPECT_THAT(notes.notes[0], HasSubstr("2 of 3 columns are constant"));
  EXPECT_EQ(notes.last_done, 4);
  EXPECT_EQ(notes.last_total, 4);
  VectorSource varied = VectorSource::Random(20, 3, 4);
  Notes none;
  Fit(kStandardize, varied, 2, 2, {.observer = &none});
  EXPECT_THAT(none.notes, IsEmpty());
}

TEST(FitPreparationTest, GlobalKnowsTheDeviationOfEntriesLessTheirRowsMean) {
  for (const double offset : {0.0, 1e6}) {
    VectorSource source = Correlated(203, 11, 5, offset);
    long double squares = 0;
    for (size_t first = 0; first < source.values().size(); first += 11) {
      long double mean = 0;
      for (size_t j = 0; j < 11; ++j) mean += source.values()[first + j] / 11.0L;
      for (size_t j = 0; j < 11; ++j) {
        squares += (source.values()[first + j] - mean) * (source.values()[first + j] - mean);
      }
    }
    const double deviation = static_cast<double>(std::sqrt(squares / (203.0L * 11)));
    EXPECT_NEAR(Fit(kGlobal, source).deviation, deviation, 1e-13 * deviation);
  }
}

TEST(FitPreparationTest, RowsThatAreAllConstantCannotBeSpreadGlobally) {
  // A third is no double: summed, the mean of such a row is off by a rounding.
  std::vector<double> values;
  for (int i = 0; i < 10; ++i) values.insert(values.end(), 7, 1.0 / 3 + i);
  VectorSource constant(10, 7, values);
  EXPECT_THAT(FaultOfKind(ErrorKind::kBadData, [&] { Fit(kGlobal, constant); }),
              HasSubstr("only rows that are constant"));
  VectorSource narrow = VectorSource::Random(10, 1, 6);
  EXPECT_THAT(FaultOfKind(ErrorKind::kBadData, [&] { Fit(kGlobal, narrow); }),
              HasSubstr("only rows that are constant"));
}

TEST(FitPreparationTest, ZcaIsTheInverseRootOfTheCovarianceAndEpsilon) {
  for (const double epsilon : {0.1, 1e-6}) {
    VectorSource source = Correlated(400, 9, 7);
    const Preparation fitted = Fit(Zca(epsilon), source);
    std::vector<double> covariance = CovarianceOf(source);
    for (size_t i = 0; i < covariance.size(); i += 10) covariance[i] += epsilon;
    // W (Σ + ε) W = 1 and W⁻¹ W⁻¹ = Σ + ε, and both are symmetric.
    ExpectIdentity(Product(Product(fitted.matrix, covariance), fitted.matrix), 9, 1e-10);
    ExpectIdentity(Product(fitted.matrix, fitted.inverse), 9, 1e-10);
    for (size_t i = 0; i < 9; ++i) {
      for (size_t j = 0; j < i; ++j) {
        EXPECT_NEAR(fitted.matrix[9 * i + j], fitted.matrix[9 * j + i], 1e-12);
      }
    }
    const std::vector<double> square = Product(fitted.inverse, fitted.inverse);
    for (size_t i = 0; i < square.size(); ++i) EXPECT_NEAR(square[i], covariance[i], 1e-11);
    const std::vector<long double> means = MeansOf(source);
    for (size_t j = 0; j < 9; ++j) {
      EXPECT_NEAR(fitted.shift[j], static_cast<double>(means[j]), 1e-14 * (1 + fitted.shift[j]));
    }
  }
}

TEST(FitPreparationTest, PcaHasOneComponentARowTheLargestFirst) {
  constexpr double kEpsilon = 0.01;
  VectorSource source = Correlated(400, 8, 8);
  const Preparation fitted = Fit(Pca(kEpsilon), source);
  // matrix · Σ · matrixᵀ = diag(λ / (λ + ε)) with λ descending.
  const std::vector<double> variances =
      Product(Product(fitted.matrix, CovarianceOf(source)), fitted.matrix, true);
  double last = 1;
  for (size_t i = 0; i < 8; ++i) {
    for (size_t j = 0; j < 8; ++j) {
      if (i == j) continue;
      EXPECT_NEAR(variances[8 * i + j], 0, 1e-11);
    }
    EXPECT_LE(variances[9 * i], last);
    last = variances[9 * i];
    // Row i is u_i / √(λ + ε), so its length tells λ as well; its largest entry is positive.
    double squares = 0;
    double extreme = 0;
    for (size_t j = 0; j < 8; ++j) {
      const double entry = fitted.matrix[8 * i + j];
      squares += entry * entry;
      if (std::abs(entry) > std::abs(extreme)) extreme = entry;
    }
    EXPECT_NEAR(variances[9 * i], (1 / squares - kEpsilon) * squares, 1e-11);
    EXPECT_GT(extreme, 0);
  }
  ExpectIdentity(Product(fitted.matrix, fitted.inverse), 8, 1e-12);
}

TEST(FitPreparationTest, WhitenedDataHasTheIdentityForItsCovariance) {
  for (const PreparationOptions& options : {Zca(1e-10), Pca(1e-10)}) {
    VectorSource source = Correlated(1000, 12, 9);
    const VectorSource prepared = Prepared(Fit(options, source), source);
    ExpectIdentity(CovarianceOf(prepared), 12, 1e-7);
    for (const long double mean : MeansOf(prepared)) {
      EXPECT_NEAR(static_cast<double>(mean), 0, 1e-11);
    }
  }
}

TEST(FitPreparationTest, AMeanFarFromZeroCostsNoDigitsOfTheSpread) {
  // Whole numbers, so that the offset rounds nothing.
  const auto source_at = [](double offset) {
    std::vector<double> values = VectorSource::Random(300, 4, 10).values();
    for (double& value : values) value = offset + std::round(1000 * value);
    return VectorSource(300, 4, std::move(values));
  };
  VectorSource near = source_at(0);
  // A mean is known to 1 ulp, here 1e-7 of spreads around 200; sums of squares would know nothing.
  VectorSource far = source_at(1e9);
  for (const PreparationOptions& options : {kStandardize, kGlobal, Zca(1e-3), Pca(1e-3)}) {
    const Preparation of_near = Fit(options, near);
    const Preparation of_far = Fit(options, far);
    for (size_t j = 0; j < of_near.shift.size(); ++j) {
      EXPECT_NEAR(of_far.shift[j] - 1e9, of_near.shift[j], 2e-7);
    }
    for (size_t j = 0; j < of_near.scale.size(); ++j) {
      EXPECT_NEAR(of_far.scale[j], of_near.scale[j], 1e-9 * of_near.scale[j]);
    }
    for (size_t j = 0; j < of_near.matrix.size(); ++j) {
      EXPECT_NEAR(of_far.matrix[j], of_near.matrix[j], 1e-10);
    }
    EXPECT_NEAR(of_far.deviation, of_near.deviation, 1e-9 * of_near.deviation);
  }
}

TEST(FitPreparationTest, TheBitsDoNotDependOnThreads) {
  VectorSource source = Correlated(777, 13, 11);
  for (const PreparationOptions& options : {kStandardize, kGlobal, Zca(0.1), Pca(0.1)}) {
    const Preparation one = Fit(options, source, 1);
    for (const int64_t threads : {2, 3}) {
      const Preparation other = Fit(options, source, threads);
      EXPECT_EQ(other.shift, one.shift);
      EXPECT_EQ(other.scale, one.scale);
      EXPECT_EQ(other.matrix, one.matrix);
      EXPECT_EQ(other.inverse, one.inverse);
      EXPECT_EQ(other.deviation, one.deviation);
    }
  }
}

TEST(FitPreparationTest, OneRowAndOneColumnAreEnough) {
  VectorSource row(1, 3, {1, 2, 4});
  EXPECT_THAT(Fit(kStandardize, row).shift, ElementsAre(1, 2, 4));
  EXPECT_THAT(Fit(kStandardize, row).scale, ElementsAre(1, 1, 1));
  EXPECT_NEAR(Fit(kGlobal, row).deviation, std::sqrt(14.0 / 9), 1e-15);
  for (const PreparationOptions& options : {Zca(0.25), Pca(0.25)}) {
    // No variance at all: only ε is left, and every direction is scaled by 1/√ε.
    const Preparation fitted = Fit(options, row);
    EXPECT_THAT(fitted.shift, ElementsAre(1, 2, 4));
    ExpectIdentity(Product(fitted.matrix, fitted.inverse), 3, 1e-15);
    std::vector<double> square = Product(fitted.matrix, fitted.matrix, true);
    for (double& entry : square) entry /= 4;
    ExpectIdentity(square, 3, 1e-15);
  }
  VectorSource column(4, 1, {1, 3, 5, 7});
  EXPECT_THAT(Fit(kStandardize, column).scale, ElementsAre(std::sqrt(5.0)));
  for (const PreparationOptions& options : {Zca(4), Pca(4)}) {
    const Preparation fitted = Fit(options, column);
    EXPECT_THAT(fitted.shift, ElementsAre(4));
    EXPECT_NEAR(fitted.matrix[0], 1.0 / 3, 1e-15);
    EXPECT_NEAR(fitted.inverse[0], 3, 1e-14);
  }
}

TEST(FitPreparationTest, DirectionsWithoutVarianceAreScaledByEpsilonAlone) {
  // Fewer rows than columns: rounding may leave eigenvalues a little below 0.
  VectorSource source = Correlated(5, 20, 12);
  const Preparation fitted = Fit(Pca(1e-20), source);
  for (size_t k = 0; k < 20; ++k) {
    double squares = 0;
    for (size_t j = 0; j < 20; ++j) squares += std::pow(fitted.matrix[20 * k + j], 2);
    EXPECT_TRUE(std::isfinite(squares));
    // Never more than ε alone would give.
    EXPECT_LE(squares, 1e20 * (1 + 1e-12));
  }
}

TEST(FitPreparationTest, SpreadsThatFitNoDoubleAreNamed) {
  VectorSource source(2, 2, {0, -1.7e308, 1, 1.7e308});
  for (const PreparationOptions& options : {kStandardize, Zca(1), Pca(1)}) {
    const std::string fault = FaultOfKind(ErrorKind::kBadData, [&] { Fit(options, source); });
    EXPECT_THAT(fault, HasSubstr("column 1"));
    EXPECT_THAT(fault, HasSubstr("fits a double"));
  }
  EXPECT_THAT(FaultOfKind(ErrorKind::kBadData, [&] { Fit(kGlobal, source); }),
              HasSubstr("fits a double"));
}

TEST(FitPreparationTest, UnsoundOptionsAndTooWideDataAreRefusedUnread) {
  VectorSource source = VectorSource::Random(4, 2, 13);
  EXPECT_THAT(FaultOfKind(ErrorKind::kUsage, [&] { Fit(Zca(0), source); }),
              HasSubstr("EPS above 0"));
  VectorSource wide(1, 40000, std::vector<double>(40000));
  EXPECT_THAT(FaultOfKind(ErrorKind::kUsage, [&] { Fit(Pca(1), wide); }),
              HasSubstr("each 40000×40000 matrix takes 11.9 GiB"));
  EXPECT_EQ(source.bytes_read() + wide.bytes_read(), 0U);
  EXPECT_THAT(
      FaultOfKind(ErrorKind::kUsage,
                  [] { FitPreparationBytes(PreparationKind::kZca, int64_t{1} << 60, 1, 1); }),
      HasSubstr("expected at most"));
}

TEST(FitPreparationTest, AStopRequestEndsEitherPass) {
  for (const int64_t stop_at : {5, 25}) {
    VectorSource source = VectorSource::Random(100, 2, 14);
    std::atomic<bool> stop = false;
    std::atomic<int64_t> fetched = 0;
    source.before_fetch = [&](RowRange) {
      if (++fetched == stop_at) stop = true;
    };
    EXPECT_THROW(Fit(Zca(1), source, 2, 5, {.stop = &stop}), Stopped);
    EXPECT_EQ(fetched, stop_at);
  }
}

TEST(FitPreparationTest, ProgressCountsTheRowsOfBothPasses) {
  VectorSource source = VectorSource::Random(50, 2, 15);
  Notes notes;
  Fit(Zca(1), source, 2, 8, {.observer = &notes});
  EXPECT_EQ(notes.last_done, 100);
  EXPECT_EQ(notes.last_total, 100);
}

TEST(FitPreparationTest, MemoryCoversWhatIsHeldAtOnce) {
  constexpr size_t kMatrix = size_t{1000} * 1000 * sizeof(double);
  constexpr size_t kBlock = size_t{64} * 1000 * sizeof(double);
  EXPECT_EQ(FitPreparationBytes(PreparationKind::kNone, 1000, 64, 2), 0U);
  EXPECT_GE(FitPreparationBytes(PreparationKind::kStandardize, 1000, 64, 2), 2 * kBlock);
  EXPECT_GE(FitPreparationBytes(PreparationKind::kGlobal, 1000, 64, 3), 3 * kBlock);
  // 16 lanes of covariance, and for each thread a block as numbers and one less its means.
  EXPECT_GE(FitPreparationBytes(PreparationKind::kZca, 1000, 64, 2), 16 * kMatrix + 4 * kBlock);
  // Where one lane is all there is, the eigenvectors and what is made of them count.
  constexpr size_t kWide = size_t{10000} * 10000 * sizeof(double);
  EXPECT_GE(FitPreparationBytes(PreparationKind::kPca, 10000, 64, 2), 4 * kWide);
  EXPECT_LT(FitPreparationBytes(PreparationKind::kPca, 10000, 64, 2), 5 * kWide);
}

}  // namespace
}  // namespace rhohat
