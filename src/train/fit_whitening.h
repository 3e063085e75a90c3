// Fitting the two preparations that whiten: means, covariance, and what its eigenvectors make
// (docs/math.md §8).
#pragma once

#include <cstddef>
#include <cstdint>

#include "rhohat/preparation.h"
#include "train/fit_passes.h"

namespace rhohat {

inline constexpr int64_t kWhiteningPasses = 2;

// Fills shift, matrix and inverse of `preparation`, whose options are for kZca or kPca. Between
// the passes and the end a stop request has to wait for the eigenvectors. Throws Error(kUsage), as
// the next does, where so many columns cannot be whitened.
void FitWhitening(FitPasses& passes, Preparation& preparation);

// What it allocates, the result included, beside the rows as numbers.
size_t FitWhiteningBytes(int64_t inputs, int64_t block_rows, int64_t threads);

}  // namespace rhohat
