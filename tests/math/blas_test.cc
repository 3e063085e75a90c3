#include "math/blas.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/keyed_random.h"

namespace rhohat {
namespace {

template <class T>
struct Matrix {
  Matrix(int64_t rows, int64_t columns, uint64_t seed)
      : values(static_cast<size_t>(rows * columns)), view(values.data(), rows, columns) {
    const KeyedRandom random(seed, RandomPurpose::kGradientSample);
    for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<T>(random.Uniform(i) - 0.5);
  }
  double at(int64_t i, int64_t j) const { return static_cast<double>(view.row(i)[j]); }

  std::vector<T> values;
  MatrixView<T> view;
};

template <class T>
class BlasTest : public testing::Test {
 protected:
  // |value − Σ_k term(k)| within rounding of a sum of `length` terms below 1.
  template <class Term>
  static void ExpectSum(T value, double start, int64_t length, const Term& term) {
    double sum = start;
    for (int64_t k = 0; k < length; ++k) sum += term(k);
    EXPECT_NEAR(static_cast<double>(value), sum,
                static_cast<double>(length + 1) * std::numeric_limits<T>::epsilon());
  }
};

using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(BlasTest, Types);

TYPED_TEST(BlasTest, ProductsMatchTheirDefinitions) {
  using T = TypeParam;
  UseOneThreadPerProduct();
  for (const auto& [rows, inner, columns] :
       {std::array<int64_t, 3>{1, 1, 1}, {3, 5, 2}, {17, 33, 9}, {64, 100, 31}}) {
    const Matrix<T> a(rows, inner, 1);
    const Matrix<T> b(inner, columns, 2);
    const Matrix<T> b_transposed(columns, inner, 3);
    const Matrix<T> a_transposed(inner, rows, 4);
    Matrix<T> out(rows, columns, 5);
    Multiply<T>(a.view, b.view, out.view);
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t j = 0; j < columns; ++j) {
        this->ExpectSum(out.view.row(i)[j], 0, inner,
                        [&, i = i, j = j](int64_t k) { return a.at(i, k) * b.at(k, j); });
      }
    }
    MultiplyTransposed<T>(a.view, b_transposed.view, out.view);
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t j = 0; j < columns; ++j) {
        this->ExpectSum(out.view.row(i)[j], 0, inner, [&, i = i, j = j](int64_t k) {
          return a.at(i, k) * b_transposed.at(j, k);
        });
      }
    }
    const std::vector<T> before = out.values;
    AddTransposedProduct<T>(a_transposed.view, b.view, out.view);
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t j = 0; j < columns; ++j) {
        this->ExpectSum(
            out.view.row(i)[j], static_cast<double>(before[i * columns + j]), inner,
            [&, i = i, j = j](int64_t k) { return a_transposed.at(k, i) * b.at(k, j); });
      }
    }
  }
}

TEST(ProductWorkspaceTest, GrowsWithTheMatrixUpToTheWholeBuffer) {
  EXPECT_LT(ProductWorkspaceBytes(100, 4), ProductWorkspaceBytes(1000, 4));
  EXPECT_EQ(ProductWorkspaceBytes(int64_t{1} << 40, 4), ProductWorkspaceBytes(int64_t{1} << 41, 4));
}

}  // namespace
}  // namespace rhohat
