// Noise on the encoder's input, for denoising (docs/math.md §4).
#pragma once

#include <cstdint>

#include "math/kernels.h"
#include "math/views.h"
#include "rhohat/options.h"

namespace rhohat {

// What the noise depends on beside its kind: the seed, and the ends that salt and pepper are.
struct NoiseSource {
  uint64_t seed = 1;
  double low = 0;
  double high = 1;
};

// A function of (seed, epoch, row, column) and of nothing else, so that every pass, thread and
// resumed run sees the same. Thread-safe between changes of the epoch.
template <class T>
class Corruption {
 public:
  Corruption(const NoiseOptions& options, const NoiseSource& source);

  bool does_nothing() const { return options_.kind == NoiseKind::kNone; }

  // out = rows, corrupted; both B×n. `first_row` is the number of the block's first row in the data
  // set.
  void Apply(int64_t first_row, MatrixView<const T> rows, MatrixView<T> out) const;

  // New noise. A batch optimiser needs one function, so it stays at 0 there.
  void set_epoch(uint32_t epoch) { epoch_ = epoch; }

 private:
  NoiseOptions options_;
  NoiseSource source_;
  uint32_t epoch_ = 0;
};

}  // namespace rhohat
