#include "math/kernels_reference.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/keyed_random.h"

namespace rhohat {
namespace {

// The activations: f(z), f′ and f″, the latter two told by a = f(z).
struct Sigmoid {
  static long double Value(long double z) { return 1 / (1 + std::exp(-z)); }
  static long double Slope(long double a) { return a * (1 - a); }
  static long double Curvature(long double a) { return a * (1 - a) * (1 - 2 * a); }
};

struct Tanh {
  static long double Value(long double z) { return std::tanh(z); }
  static long double Slope(long double a) { return 1 - a * a; }
  static long double Curvature(long double a) { return -2 * a * (1 - a * a); }
};

struct Relu {
  static long double Value(long double z) { return std::isnan(z) ? z : std::fmax(z, 0.0L); }
  static long double Slope(long double a) { return std::isnan(a) ? a : (a > 0 ? 1 : 0); }
  static long double Curvature(long double /*a*/) { return 0; }
};

struct Linear {
  static long double Value(long double z) { return z; }
  static long double Slope(long double /*a*/) { return 1; }
  static long double Curvature(long double /*a*/) { return 0; }
};

template <class F, class T>
constexpr ActivationKernels<T> KernelsOfActivation() {
  return {
      .apply =
          [](T* z, const T* bias, int64_t count) {
            for (int64_t j = 0; j < count; ++j) {
              // The sum is part of the kernel's input: it rounds to T before f is applied.
              const T sum = z[j] + bias[j];
              z[j] = static_cast<T>(F::Value(sum));
            }
          },
      .times_slope =
          [](const T* delta, const T* a, T* out, int64_t count) {
            for (int64_t j = 0; j < count; ++j) out[j] = static_cast<T>(delta[j] * F::Slope(a[j]));
          },
      .shift_times_slope =
          [](const T* delta, const T* shift, const T* a, T* out, double* sums, int64_t count) {
            for (int64_t j = 0; j < count; ++j) {
              const T shifted = delta[j] + shift[j];
              out[j] = static_cast<T>(shifted * F::Slope(a[j]));
              sums[j] = sums[j] + static_cast<double>(out[j]);
            }
          },
      .slope_and_sum =
          [](const T* a, T* out, double* sums, int64_t count) {
            for (int64_t j = 0; j < count; ++j) {
              out[j] = static_cast<T>(F::Slope(a[j]));
              sums[j] = sums[j] + static_cast<double>(out[j]);
            }
          },
      .add_slope_squares =
          [](const T* a, double* sums, int64_t count) {
            for (int64_t j = 0; j < count; ++j) {
              const long double slope = F::Slope(a[j]);
              sums[j] = static_cast<double>(sums[j] + slope * slope);
            }
          },
      .add_curvature =
          [](const T* weights, const T* a, T* delta, int64_t count) {
            for (int64_t j = 0; j < count; ++j) {
              delta[j] = static_cast<T>(delta[j] + weights[j] * F::Curvature(a[j]));
            }
          },
  };
}

template <class T>
double SquaredError(T* reconstruction, const T* target, T* delta, int64_t count) {
  long double sum = 0;
  for (int64_t j = 0; j < count; ++j) {
    delta[j] = reconstruction[j] - target[j];
    sum += static_cast<long double>(delta[j]) * delta[j];
  }
  return static_cast<double>(sum / 2);
}

template <class T>
double CrossEntropy(T* output, const T* target, T* delta, int64_t count) {
  long double sum = 0;
  for (int64_t j = 0; j < count; ++j) {
    const long double z = output[j];
    sum += (z > 0 ? z : 0) - z * target[j] + std::log1p(std::exp(-std::abs(z)));
    output[j] = static_cast<T>(Sigmoid::Value(z));
    delta[j] = output[j] - target[j];
  }
  return static_cast<double>(sum);
}

template <class F, class T>
double SquaredErrorBack(T* z, const T* bias, const T* target, double* sums, int64_t count) {
  long double sum = 0;
  for (int64_t j = 0; j < count; ++j) {
    const T input = z[j] + bias[j];
    const T reconstruction = static_cast<T>(F::Value(input));
    const T difference = reconstruction - target[j];
    sum += static_cast<long double>(difference) * difference;
    z[j] = static_cast<T>(difference * F::Slope(reconstruction));
    sums[j] = sums[j] + static_cast<double>(z[j]);
  }
  return static_cast<double>(sum / 2);
}

template <class T>
double CrossEntropyBack(T* z, const T* bias, const T* target, double* sums, int64_t count) {
  long double cost = 0;
  for (int64_t j = 0; j < count; ++j) {
    T output = z[j] + bias[j];
    cost += CrossEntropy(&output, &target[j], &z[j], 1);
    sums[j] = sums[j] + static_cast<double>(z[j]);
  }
  return static_cast<double>(cost);
}

template <class T>
void Add(const T* x, T* y, int64_t count) {
  for (int64_t j = 0; j < count; ++j) y[j] = y[j] + x[j];
}

template <class T>
void AddToSums(const T* x, double* sums, int64_t count) {
  for (int64_t j = 0; j < count; ++j) sums[j] = sums[j] + static_cast<double>(x[j]);
}

template <class T>
void AddMagnitudes(const T* x, double* sums, int64_t count) {
  for (int64_t j = 0; j < count; ++j) sums[j] = sums[j] + static_cast<double>(std::abs(x[j]));
}

template <class T>
void AddSigns(T weight, const T* x, T* delta, int64_t count) {
  for (int64_t j = 0; j < count; ++j) {
    if (std::isnan(x[j])) delta[j] = x[j];
    if (x[j] > 0) delta[j] = delta[j] + weight;
    if (x[j] < 0) delta[j] = delta[j] - weight;
  }
}

template <class T>
void ExtendRange(const T* x, int64_t count, T* low, T* high) {
  for (int64_t j = 0; j < count; ++j) {
    const bool is_nan = std::isnan(x[j]);
    if (is_nan || x[j] < *low) *low = x[j];
    if (is_nan || x[j] > *high) *high = x[j];
  }
}

// The four words of columns 4q to 4q + 3.
std::array<uint32_t, 4> NoiseWords(const NoiseKey& key, int64_t q) {
  const uint32_t purpose = static_cast<uint32_t>(RandomPurpose::kNoise) + (key.epoch << 8);
  return Philox4x32({static_cast<uint32_t>(key.row), static_cast<uint32_t>(q), purpose,
                     static_cast<uint32_t>(key.row >> 32)},
                    {static_cast<uint32_t>(key.seed), static_cast<uint32_t>(key.seed >> 32)});
}

uint64_t NoiseWord(const NoiseKey& key, int64_t column) {
  return NoiseWords(key, column / 4)[static_cast<size_t>(column % 4)];
}

uint64_t Threshold(double p) { return static_cast<uint64_t>(std::ceil(std::ldexp(p, 32))); }

template <class T>
void Mask(const NoiseKey& key, double p, const T* x, T* out, int64_t count) {
  for (int64_t j = 0; j < count; ++j) out[j] = NoiseWord(key, j) < Threshold(p) ? T(0) : x[j];
}

template <class T>
void SaltAndPepper(const NoiseKey& key, double p, T low, T high, const T* x, T* out,
                   int64_t count) {
  for (int64_t j = 0; j < count; ++j) {
    const uint64_t word = NoiseWord(key, j);
    const T changed = word < Threshold(p / 2) ? low : high;
    out[j] = word < Threshold(p) ? changed : x[j];
  }
}

// Box and Muller's method on the pairs (word 0, word 1) and (word 2, word 3).
long double NormalDeviate(const NoiseKey& key, int64_t column) {
  const std::array<uint32_t, 4> words = NoiseWords(key, column / 4);
  const size_t pair = static_cast<size_t>(column % 4) / 2 * 2;
  const long double u = std::ldexp(static_cast<long double>(words[pair]) + 1, -32);
  const long double v = std::ldexp(static_cast<long double>(words[pair + 1]), -32);
  const long double radius = std::sqrt(-2 * std::log(u));
  const long double angle = 2 * std::numbers::pi_v<long double> * v;
  return radius * (column % 2 == 0 ? std::cos(angle) : std::sin(angle));
}

template <class T>
void AddGaussian(const NoiseKey& key, double deviation, const T* x, T* out, int64_t count) {
  const long double scale = static_cast<T>(deviation);
  for (int64_t j = 0; j < count; ++j) {
    out[j] = static_cast<T>(x[j] + scale * NormalDeviate(key, j));
  }
}

template <class T>
double SumOfSquares(const T* x, int64_t count) {
  long double sum = 0;
  for (int64_t j = 0; j < count; ++j) sum += static_cast<long double>(x[j]) * x[j];
  return static_cast<double>(sum);
}

template <class T>
double MomentumStep(T rate, T momentum, const T* gradient, T* velocity, T* point, int64_t count) {
  for (int64_t j = 0; j < count; ++j) {
    const long double step = static_cast<long double>(momentum) * velocity[j] -
                             static_cast<long double>(rate) * gradient[j];
    velocity[j] = static_cast<T>(step);
    point[j] = static_cast<T>(point[j] + step);
  }
  return SumOfSquares(gradient, count);
}

template <class T>
double AdaptiveStep(const AdamStep<T>& step, const T* gradient, T* mean, T* square, T* point,
                    int64_t count) {
  const long double mean_weight = step.mean_weight;
  const long double square_weight = step.square_weight;
  for (int64_t j = 0; j < count; ++j) {
    const long double g = gradient[j];
    const long double m = (1 - mean_weight) * mean[j] + mean_weight * g;
    const long double v = (1 - square_weight) * square[j] + square_weight * g * g;
    mean[j] = static_cast<T>(m);
    square[j] = static_cast<T>(v);
    point[j] =
        static_cast<T>(point[j] - step.rate * m / (std::sqrt(v) * step.root_scale + step.epsilon));
  }
  return SumOfSquares(gradient, count);
}

}  // namespace

template <class T>
const Kernels<T>& ReferenceKernels() {
  static constexpr Kernels<T> kTable = {
      .activations = {KernelsOfActivation<Sigmoid, T>(), KernelsOfActivation<Tanh, T>(),
                      KernelsOfActivation<Relu, T>(), KernelsOfActivation<Linear, T>()},
      .losses = {{SquaredError<T>,
                  {SquaredErrorBack<Sigmoid, T>, SquaredErrorBack<Tanh, T>,
                   SquaredErrorBack<Relu, T>, SquaredErrorBack<Linear, T>}},
                 {CrossEntropy<T>,
                  {CrossEntropyBack<T>, CrossEntropyBack<T>, CrossEntropyBack<T>,
                   CrossEntropyBack<T>}}},
      .add = Add<T>,
      .add_to_sums = AddToSums<T>,
      .add_magnitudes = AddMagnitudes<T>,
      .add_signs = AddSigns<T>,
      .extend_range = ExtendRange<T>,
      .mask = Mask<T>,
      .add_gaussian = AddGaussian<T>,
      .salt_and_pepper = SaltAndPepper<T>,
      .momentum_step = MomentumStep<T>,
      .adam_step = AdaptiveStep<T>,
      .name = "reference"};
  return kTable;
}

template const Kernels<float>& ReferenceKernels<float>();
template const Kernels<double>& ReferenceKernels<double>();

}  // namespace rhohat
