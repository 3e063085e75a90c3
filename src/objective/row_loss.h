// The reconstruction loss of one row (docs/math.md §2), and the check that it is defined there.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "math/kernels.h"
#include "rhohat/activation.h"
#include "rhohat/loss.h"

namespace rhohat {

// Stateless but for its choice of functions. Thread-safe. T is float or double.
template <class T>
class RowLoss {
 public:
  // `locate` names a row in messages, and must be thread-safe.
  RowLoss(Loss loss, std::function<std::string(int64_t)> locate);

  // Whether Apply() is given the decoder's input z, and leaves x̂ in its place.
  bool from_logits() const { return from_logits_; }

  // Returns ℓ of the data set's row `row`, in double. `output` is x̂ or z; delta becomes ∂ℓ by it.
  // All have `columns` values. Throws Error(kBadData), naming the row, where ℓ is not defined for
  // `target`.
  double Apply(int64_t row, T* output, const T* target, T* delta, int64_t columns) const;

  // The same of several rows from `row` on, `count` values in all.
  double ApplyToRows(int64_t row, T* output, const T* target, T* delta, int64_t columns,
                     int64_t count) const;

  // ... and on to ∂ℓ by the decoder's product z, which it takes the place of and is added to `sums`
  // (LossKernels::back): the same ℓ to the bit. `bias` and `sums` have `count` values too.
  double Back(int64_t row, Activation decoder, T* z, const T* bias, const T* target, double* sums,
              int64_t columns, int64_t count) const;

 private:
  void CheckTargets(int64_t row, const T* target, int64_t columns, int64_t count) const;

  const LossKernels<T>& kernels_;
  bool from_logits_;
  std::function<std::string(int64_t)> locate_;
};

}  // namespace rhohat
