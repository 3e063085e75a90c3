// Eigenvalues of symmetric matrices, by LAPACK. The only place that knows there is one.
//
// dsyevd reduces the matrix to three diagonals and divides and conquers those. It runs on the
// calling thread alone once UseOneThreadPerProduct() has been called, and then gives the same bits
// on every run. Only the signs of eigenvectors are a matter of chance; a convention settles them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "math/views.h"

namespace rhohat {

// The widest matrix that LAPACK, which counts with 32 bits, can give workspace to.
inline constexpr int64_t kMostEigenvalues = 32766;

// Replaces a symmetric matrix A (n×n) by its eigenvectors, one a row and of length 1, and puts the
// eigenvalues (n) in `values`, the largest first: A = Σ_k values_k row_kᵀ row_k. The entry of
// largest magnitude of each row, the first of several, is positive. Of A, one triangle is read; its
// entries are finite. Throws Error(kUsage) where n is above kMostEigenvalues, and Error(kInternal)
// where the iteration does not converge, which is not known to happen.
void FindEigenvectors(MatrixView<double> matrix, std::span<double> values);

// What FindEigenvectors() allocates.
size_t EigenWorkspaceBytes(int64_t n);

}  // namespace rhohat
