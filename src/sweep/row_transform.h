// What becomes of rows before a sweep hands them out: preparation, and the frozen layers of a
// stack.
#pragma once

#include <cstdint>
#include <span>

namespace rhohat {

// Apply() is called by many threads, by one at a time for each `worker`.
template <class T>
class RowTransform {
 public:
  virtual ~RowTransform() = default;

  virtual int64_t columns() const = 0;  // of the result

  // `rows` are `count` rows of the source, row-major; in double whatever T is, since rounding a
  // large number before its mean is taken off would cost what is left of it. The result, count ×
  // columns(), holds until the worker's next call.
  virtual std::span<const T> Apply(std::span<const double> rows, int64_t count, int64_t worker) = 0;
};

}  // namespace rhohat
