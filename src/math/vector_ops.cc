// Sums as sixteen interleaved partial sums.
//
// Element i goes to partial sum i mod 16, and the sixteen are added as a tree of pairs. That order
// is written out here, so no compiler flag or vector width may change it, and it still leaves
// sixteen independent additions to fill vector registers and hide their latency. Floats are widened
// first: a product of two floats is exact in double, so sums of floats keep about nine more decimal
// digits than their operands.
#include "math/vector_ops.h"

#include <array>
#include <cassert>
#include <cmath>
#include <cstddef>

namespace rhohat {
namespace {

constexpr size_t kPartialSums = 16;

double AddPairwise(std::array<double, kPartialSums>& sums) {
  for (size_t half = kPartialSums / 2; half > 0; half /= 2) {
    for (size_t j = 0; j < half; ++j) sums[j] += sums[j + half];
  }
  return sums[0];
}

}  // namespace

template <class T>
double Dot(std::span<const T> a, std::span<const T> b) {
  assert(a.size() == b.size());
  std::array<double, kPartialSums> sums{};
  const size_t whole = a.size() - a.size() % kPartialSums;
  for (size_t i = 0; i < whole; i += kPartialSums) {
    for (size_t j = 0; j < kPartialSums; ++j) {
      sums[j] += static_cast<double>(a[i + j]) * static_cast<double>(b[i + j]);
    }
  }
  for (size_t i = whole; i < a.size(); ++i) {
    sums[i - whole] += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  }
  return AddPairwise(sums);
}

template <class T>
double Norm(std::span<const T> a) {
  return std::sqrt(Dot(a, a));
}

template <class T>
void AddScaled(double factor, std::span<const T> x, std::span<T> y) {
  assert(x.size() == y.size());
  for (size_t i = 0; i < y.size(); ++i) {
    y[i] = static_cast<T>(static_cast<double>(y[i]) + factor * static_cast<double>(x[i]));
  }
}

template <class T>
void SumScaled(std::span<const T> x, double factor, std::span<const T> y, std::span<T> out) {
  assert(x.size() == out.size() && y.size() == out.size());
  for (size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<T>(static_cast<double>(x[i]) + factor * static_cast<double>(y[i]));
  }
}

template <class T>
void Scale(double factor, std::span<T> x) {
  for (T& value : x) value = static_cast<T>(factor * static_cast<double>(value));
}

template double Dot(std::span<const float>, std::span<const float>);
template double Dot(std::span<const double>, std::span<const double>);
template double Norm(std::span<const float>);
template double Norm(std::span<const double>);
template void AddScaled(double, std::span<const float>, std::span<float>);
template void AddScaled(double, std::span<const double>, std::span<double>);
template void SumScaled(std::span<const float>, double, std::span<const float>, std::span<float>);
template void SumScaled(std::span<const double>, double, std::span<const double>,
                        std::span<double>);
template void Scale(double, std::span<float>);
template void Scale(double, std::span<double>);

}  // namespace rhohat
