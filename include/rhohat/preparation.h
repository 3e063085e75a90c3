// How rows are prepared before the network sees them (docs/math.md §8).
#pragma once

#include <cstdint>
#include <vector>

namespace rhohat {

enum class PreparationKind {
  kNone,
  kRange,        // [low, high] becomes [0, 1]
  kStandardize,  // each column to mean 0 and standard deviation 1
  kGlobal,       // less the row's mean, cut at ±3 deviations of the whole set, to [0.1, 0.9]
  kZca,          // whitened, as near to the original as can be
  kPca,          // whitened, along the principal components, the largest first
};

struct PreparationOptions {
  PreparationKind kind = PreparationKind::kNone;
  double low = 0;      // kRange
  double high = 1;     // kRange
  double epsilon = 0;  // kZca, kPca: added to each variance, > 0

  friend bool operator==(const PreparationOptions&, const PreparationOptions&) = default;
};

// A preparation with what it knows of the data it was fitted to. n is the rows' width; vectors that
// a kind does not use are empty.
struct Preparation {
  PreparationOptions options;
  std::vector<double> shift;    // n; kRange, kStandardize, kZca, kPca
  std::vector<double> scale;    // n; kRange, kStandardize: x becomes (x − shift) / scale
  std::vector<double> matrix;   // n×n, row-major; kZca, kPca: x becomes matrix · (x − shift)
  std::vector<double> inverse;  // n×n, row-major; kZca, kPca: what undoes `matrix`
  double deviation = 0;         // kGlobal: of the whole set, each row less its mean
};

}  // namespace rhohat
