#include "math/eigen.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/keyed_random.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

constexpr double kEpsilon = 2.3e-16;

struct Eigen {
  std::vector<double> vectors;  // one a row
  std::vector<double> values;
  double at(size_t row, size_t column) const { return vectors[row * values.size() + column]; }
};

Eigen Find(const std::vector<double>& matrix) {
  const auto n = static_cast<size_t>(std::lround(std::sqrt(static_cast<double>(matrix.size()))));
  Eigen eigen{matrix, std::vector<double>(n)};
  const auto size = static_cast<int64_t>(n);
  FindEigenvectors({eigen.vectors.data(), size, size}, eigen.values);
  return eigen;
}

std::vector<double> RandomSymmetric(size_t n, uint64_t seed) {
  const KeyedRandom random(seed, RandomPurpose::kGradientSample);
  std::vector<double> matrix(n * n);
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j <= i; ++j) {
      matrix[i * n + j] = matrix[j * n + i] = random.Uniform(i * n + j) - 0.5;
    }
  }
  return matrix;
}

// Σ_k values_k row_kᵀ row_k against `matrix`, and rows of length 1 at right angles.
void ExpectDecomposes(const std::vector<double>& matrix, const Eigen& eigen) {
  const size_t n = eigen.values.size();
  const double tolerance = 20 * static_cast<double>(n) * kEpsilon;
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j < n; ++j) {
      double sum = 0;
      double product = 0;
      for (size_t k = 0; k < n; ++k) {
        sum += eigen.values[k] * eigen.at(k, i) * eigen.at(k, j);
        product += eigen.at(i, k) * eigen.at(j, k);
      }
      EXPECT_NEAR(sum, matrix[i * n + j], tolerance * std::max(1.0, std::abs(eigen.values[0])));
      EXPECT_NEAR(product, i == j ? 1 : 0, tolerance);
    }
  }
}

TEST(EigenTest, VectorsAndValuesMakeTheMatrixAgain) {
  for (const size_t n : {1U, 2U, 3U, 10U, 33U, 70U}) {
    const std::vector<double> matrix = RandomSymmetric(n, n);
    const Eigen eigen = Find(matrix);
    ExpectDecomposes(matrix, eigen);
    EXPECT_TRUE(std::is_sorted(eigen.values.rbegin(), eigen.values.rend())) << n;
  }
}

TEST(EigenTest, KnownValuesComeLargestFirst) {
  const Eigen eigen = Find({2, 1, 0,  //
                            1, 2, 0,  //
                            0, 0, 7});
  const double half = std::sqrt(0.5);
  const std::vector<double> values = {7, 3, 1};
  const std::vector<double> magnitudes = {0, 0, 1, half, half, 0, half, half, 0};
  for (size_t i = 0; i < 3; ++i) EXPECT_NEAR(eigen.values[i], values[i], 20 * kEpsilon);
  for (size_t i = 0; i < 9; ++i) {
    EXPECT_NEAR(std::abs(eigen.vectors[i]), magnitudes[i], 20 * kEpsilon);
  }
}

TEST(EigenTest, TheEntryOfLargestMagnitudeIsPositive) {
  for (const size_t n : {1U, 5U, 40U}) {
    const Eigen eigen = Find(RandomSymmetric(n, 100 + n));
    for (size_t k = 0; k < n; ++k) {
      double extreme = 0;
      for (size_t j = 0; j < n; ++j) {
        if (std::abs(eigen.at(k, j)) > std::abs(extreme)) extreme = eigen.at(k, j);
      }
      EXPECT_GT(extreme, 0) << "vector " << k << " of " << n;
    }
  }
}

TEST(EigenTest, ManyEqualEigenvaluesStillHaveVectorsAtRightAngles) {
  // The identity plus one direction: n − 1 eigenvalues are 1.
  constexpr size_t kSize = 50;
  std::vector<double> matrix(kSize * kSize, 0.25);
  for (size_t i = 0; i < kSize; ++i) matrix[i * kSize + i] += 1;
  ExpectDecomposes(matrix, Find(matrix));
  ExpectDecomposes(std::vector<double>(kSize * kSize, 0.0),
                   Find(std::vector<double>(kSize * kSize, 0.0)));
}

TEST(EigenTest, ExtremeScalesNeitherOverflowNorVanish) {
  for (const double scale : {1e-300, 1e300}) {
    const Eigen eigen = Find({2 * scale, scale, scale, 2 * scale});
    EXPECT_NEAR(eigen.values[0] / scale, 3, 1e-14);
    EXPECT_NEAR(eigen.values[1] / scale, 1, 1e-14);
  }
}

TEST(EigenTest, TheSameMatrixGivesTheSameBits) {
  const std::vector<double> matrix = RandomSymmetric(120, 7);
  const Eigen first = Find(matrix);
  for (int repeat = 0; repeat < 3; ++repeat) {
    const Eigen again = Find(matrix);
    EXPECT_EQ(again.vectors, first.vectors);
    EXPECT_EQ(again.values, first.values);
  }
}

TEST(EigenTest, AMatrixTooWideForLapacksCountIsRefusedBeforeItIsTouched) {
  double entry = 0;
  const int64_t n = kMostEigenvalues + 1;
  std::vector<double> values(static_cast<size_t>(n));
  EXPECT_THROW(FindEigenvectors({&entry, n, n}, values), Error);
  EXPECT_LE(1 + 6 * kMostEigenvalues + 2 * kMostEigenvalues * kMostEigenvalues,
            std::numeric_limits<int32_t>::max());
}

TEST(EigenTest, TheWorkspaceIsThatOfTwoMatricesAndMore) {
  EXPECT_GT(EigenWorkspaceBytes(1000), size_t{2} * 1000 * 1000 * sizeof(double));
}

}  // namespace
}  // namespace rhohat
