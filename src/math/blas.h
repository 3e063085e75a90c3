// Matrix products, by BLAS. The only place that knows there is one.
//
// All matrices are row-major without gaps. T is float or double. A product runs on the calling
// thread alone: parallelism is over blocks of rows, and OpenBLAS gives other bits on other numbers
// of threads. Thread-safe once UseOneThreadPerProduct() has been called.
#pragma once

#include <cstddef>
#include <cstdint>

#include "math/views.h"

namespace rhohat {

// To be called before the first product. Cheap, and harmless to repeat. Ends the threads that
// OpenBLAS has started for itself, whatever OPENBLAS_NUM_THREADS says: they would hold address
// space, and must never compete with the compute threads.
void UseOneThreadPerProduct();

// out = a · bᵀ, with a: i×k, b: j×k, out: i×j.
template <class T>
void MultiplyTransposed(MatrixView<const T> a, MatrixView<const T> b, MatrixView<T> out);

// out = a · b, with a: i×k, b: k×j, out: i×j.
template <class T>
void Multiply(MatrixView<const T> a, MatrixView<const T> b, MatrixView<T> out);

// out += aᵀ · b, with a: k×i, b: k×j, out: i×j.
template <class T>
void AddTransposedProduct(MatrixView<const T> a, MatrixView<const T> b, MatrixView<T> out);

// out = factor · pᵀ · b, or is that much more where `add`; p is columns [first_column, first_column
// + i) of a, with a: k×any, b: k×j, out: i×j.
template <class T>
void TransposedPanelProduct(double factor, MatrixView<const T> a, int64_t first_column,
                            MatrixView<const T> b, bool add, MatrixView<T> out);

// Address space that BLAS reserves for each thread, whatever it then uses of it. OpenBLAS waits for
// ever where it cannot have it.
inline constexpr size_t kProductBufferBytes = size_t{128} << 20;

// Memory that one thread's products of matrices with at most `widest` rows or columns take inside
// BLAS, for packed copies of their operands: an upper estimate.
size_t ProductWorkspaceBytes(int64_t widest, size_t element_bytes);

}  // namespace rhohat
