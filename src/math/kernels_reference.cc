#include "math/kernels_reference.h"

#include <cmath>

namespace rhohat {
namespace {

template <class T>
void AddBiasSigmoid(T* z, const T* bias, int64_t count) {
  for (int64_t j = 0; j < count; ++j) {
    // The sum is part of the kernel's input: it rounds to T before the function is applied.
    const T sum = z[j] + bias[j];
    z[j] = static_cast<T>(1 / (1 + std::exp(-static_cast<long double>(sum))));
  }
}

template <class T>
void TimesSigmoidSlope(const T* delta, const T* a, T* out, int64_t count) {
  for (int64_t j = 0; j < count; ++j) {
    const long double value = a[j];
    out[j] = static_cast<T>(delta[j] * value * (1 - value));
  }
}

template <class T>
double SquaredError(const T* reconstruction, const T* target, T* delta, int64_t count) {
  long double sum = 0;
  for (int64_t j = 0; j < count; ++j) {
    delta[j] = reconstruction[j] - target[j];
    sum += static_cast<long double>(delta[j]) * delta[j];
  }
  return static_cast<double>(sum / 2);
}

template <class T>
void Add(const T* x, T* y, int64_t count) {
  for (int64_t j = 0; j < count; ++j) y[j] = y[j] + x[j];
}

template <class T>
void AddToSums(const T* x, double* sums, int64_t count) {
  for (int64_t j = 0; j < count; ++j) sums[j] = sums[j] + static_cast<double>(x[j]);
}

}  // namespace

template <class T>
const Kernels<T>& ReferenceKernels() {
  static constexpr Kernels<T> kTable = {
      AddBiasSigmoid<T>, TimesSigmoidSlope<T>, SquaredError<T>, Add<T>, AddToSums<T>, "reference"};
  return kTable;
}

template const Kernels<float>& ReferenceKernels<float>();
template const Kernels<double>& ReferenceKernels<double>();

}  // namespace rhohat
