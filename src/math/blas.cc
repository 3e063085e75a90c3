#include "math/blas.h"

#include <cblas.h>

#include <algorithm>
#include <cassert>
#include <limits>

#include "rhohat/error.h"

// OpenBLAS with threads of its own starts them when it is loaded, as many as there are processors.
// This ends them; it is in no header, and not in every build of OpenBLAS.
extern "C" int blas_thread_shutdown_() __attribute__((weak));

namespace rhohat {
namespace {

blasint BlasSize(int64_t size) {
  if (size > std::numeric_limits<blasint>::max()) {
    throw Error(ErrorKind::kBadData, "a matrix has more rows or columns than BLAS can count");
  }
  return static_cast<blasint>(size);
}

// out = beta · out + alpha · op(a) · op(b); `inner` is the length of the sums.
template <class T>
void Gemm(CBLAS_TRANSPOSE op_a, CBLAS_TRANSPOSE op_b, int64_t inner, MatrixView<const T> a,
          MatrixView<const T> b, T beta, MatrixView<T> out, T alpha = 1) {
  const blasint rows = BlasSize(out.rows);
  const blasint columns = BlasSize(out.columns);
  const blasint k = BlasSize(inner);
  const blasint lda = BlasSize(a.columns);
  const blasint ldb = BlasSize(b.columns);
  if constexpr (sizeof(T) == sizeof(float)) {
    cblas_sgemm(CblasRowMajor, op_a, op_b, rows, columns, k, alpha, a.data, lda, b.data, ldb, beta,
                out.data, columns);
  } else {
    cblas_dgemm(CblasRowMajor, op_a, op_b, rows, columns, k, alpha, a.data, lda, b.data, ldb, beta,
                out.data, columns);
  }
}

}  // namespace

// Once only: to set the number again would start them anew.
void UseOneThreadPerProduct() {
  static const bool done = [] {
    openblas_set_num_threads(1);
    if (blas_thread_shutdown_ != nullptr) blas_thread_shutdown_();
    return true;
  }();
  static_cast<void>(done);
}

template <class T>
void MultiplyTransposed(MatrixView<const T> a, MatrixView<const T> b, MatrixView<T> out) {
  assert(a.columns == b.columns && out.rows == a.rows && out.columns == b.rows);
  Gemm<T>(CblasNoTrans, CblasTrans, a.columns, a, b, 0, out);
}

template <class T>
void Multiply(MatrixView<const T> a, MatrixView<const T> b, MatrixView<T> out) {
  assert(a.columns == b.rows && out.rows == a.rows && out.columns == b.columns);
  Gemm<T>(CblasNoTrans, CblasNoTrans, a.columns, a, b, 0, out);
}

template <class T>
void AddTransposedProduct(MatrixView<const T> a, MatrixView<const T> b, MatrixView<T> out) {
  assert(a.rows == b.rows && out.rows == a.columns && out.columns == b.columns);
  Gemm<T>(CblasTrans, CblasNoTrans, a.rows, a, b, 1, out);
}

template <class T>
void TransposedPanelProduct(double factor, MatrixView<const T> a, int64_t first_column,
                            MatrixView<const T> b, bool add, MatrixView<T> out) {
  assert(a.rows == b.rows && first_column + out.rows <= a.columns && out.columns == b.columns);
  const MatrixView<const T> panel(a.data + first_column, a.rows, a.columns);
  Gemm<T>(CblasTrans, CblasNoTrans, a.rows, panel, b, add ? 1 : 0, out, static_cast<T>(factor));
}

size_t ProductWorkspaceBytes(int64_t widest, size_t element_bytes) {
  // OpenBLAS packs a panel of each operand, a few hundred deep and as wide as the matrix, into its
  // buffer, of which only what is used becomes resident.
  constexpr size_t kPanelDepth = 512;
  constexpr size_t kFixed = size_t{2} << 20;
  const size_t panels = static_cast<size_t>(widest) * kPanelDepth * element_bytes;
  return kFixed + std::min(kProductBufferBytes, panels);
}

template void MultiplyTransposed(MatrixView<const float>, MatrixView<const float>,
                                 MatrixView<float>);
template void MultiplyTransposed(MatrixView<const double>, MatrixView<const double>,
                                 MatrixView<double>);
template void Multiply(MatrixView<const float>, MatrixView<const float>, MatrixView<float>);
template void Multiply(MatrixView<const double>, MatrixView<const double>, MatrixView<double>);
template void AddTransposedProduct(MatrixView<const float>, MatrixView<const float>,
                                   MatrixView<float>);
template void AddTransposedProduct(MatrixView<const double>, MatrixView<const double>,
                                   MatrixView<double>);
template void TransposedPanelProduct(double, MatrixView<const float>, int64_t,
                                     MatrixView<const float>, bool, MatrixView<float>);
template void TransposedPanelProduct(double, MatrixView<const double>, int64_t,
                                     MatrixView<const double>, bool, MatrixView<double>);

}  // namespace rhohat
