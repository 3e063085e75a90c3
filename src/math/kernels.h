// Elementwise kernels over one row of a block: what happens between two matrix products.
//
// Each works on `count` consecutive values and is called row by row, so that a row stays in the
// first-level cache from one kernel to the next. One source (kernels_impl.inc) is compiled for
// several instruction sets; Best() picks at run time. kernels_reference.h has a naive twin of each.
//
// All are thread-safe and let NaN and infinity through: sigmoid(NaN) is NaN, sigmoid(±infinity) is
// 1 and 0 to rounding.
#pragma once

#include <cstdint>

namespace rhohat {

// An activation function f. Its derivatives are told by its value a = f(z).
template <class T>
struct ActivationKernels {
  // z_j = f(z_j + bias_j). Sigmoid: at most 3 units in the last place from the exact value for
  // results above 1e-30; tanh: at most 4.
  void (*apply)(T* z, const T* bias, int64_t count);

  // out_j = delta_j · f′; `out` may be any of the operands.
  void (*times_slope)(const T* delta, const T* a, T* out, int64_t count);

  // out_j = (delta_j + shift_j) · f′, which is added to sums_j in double. `out` may be delta or a;
  // apart from that, operands of this and the next do not overlap.
  void (*shift_times_slope)(const T* delta, const T* shift, const T* a, T* out, double* sums,
                            int64_t count);

  // out_j = f′, added to sums_j in double.
  void (*slope_and_sum)(const T* a, T* out, double* sums, int64_t count);

  // sums_j += f′², in double.
  void (*add_slope_squares)(const T* a, double* sums, int64_t count);

  // delta_j += weights_j · f″.
  void (*add_curvature)(const T* weights, const T* a, T* delta, int64_t count);
};

// A reconstruction loss ℓ(x̂, x).
template <class T>
struct LossKernels {
  // Squared error: `output` is x̂, delta_j = x̂_j − target_j = ∂ℓ/∂x̂_j, returns ½ Σ delta_j².
  // Cross-entropy: `output` is the decoder's input z and becomes x̂ = sigmoid(z),
  // delta_j = x̂_j − target_j = ∂ℓ/∂z_j, returns Σ max(z_j, 0) − z_j target_j + ln(1 + exp(−|z_j|)).
  // Summed in double.
  double (*apply)(T* output, const T* target, T* delta, int64_t count);

  // From the decoder's product z to ∂ℓ/∂z, in one go: with f the output's activation, which is the
  // index, and x̂_j = f(z_j + bias_j), z_j becomes ∂ℓ/∂x̂_j · f′ and is added to sums_j in double;
  // returns ℓ as apply() does. Cross-entropy has its sigmoid in itself, so that its four are one.
  // Operands lie apart.
  double (*back[4])(T* z, const T* bias, const T* target, double* sums, int64_t count);
};

// Which noise a row gets: four words of the counter-based generator for each four columns
// (docs/math.md §4).
struct NoiseKey {
  uint64_t seed = 0;
  uint32_t epoch = 0;  // below 2^24
  uint64_t row = 0;
};

// One step of Adam, for all parameters the same: D. P. Kingma, J. Ba, "Adam: a method for
// stochastic optimization", ICLR 2015.
template <class T>
struct AdamStep {
  T rate;           // α / (1 − β1ᵗ)
  T mean_weight;    // 1 − β1
  T square_weight;  // 1 − β2
  T root_scale;     // 1 / √(1 − β2ᵗ)
  T epsilon;
};

template <class T>
struct Kernels {
  // Indexed by Activation and Loss.
  ActivationKernels<T> activations[4];
  LossKernels<T> losses[2];

  // y_j += x_j.
  void (*add)(const T* x, T* y, int64_t count);

  // sums_j += x_j, in double.
  void (*add_to_sums)(const T* x, double* sums, int64_t count);

  // sums_j += |x_j|, in double.
  void (*add_magnitudes)(const T* x, double* sums, int64_t count);

  // delta_j += weight · sign(x_j), with sign(0) = 0.
  void (*add_signs)(T weight, const T* x, T* delta, int64_t count);

  // low = min(low, x_j) and high = max(high, x_j) over all j.
  void (*extend_range)(const T* x, int64_t count, T* low, T* high);

  // out_j = 0 with probability p, else x_j. `out` may be x in this and the next two.
  void (*mask)(const NoiseKey& key, double p, const T* x, T* out, int64_t count);

  // out_j = x_j + a normal deviate of standard deviation `deviation`.
  void (*add_gaussian)(const NoiseKey& key, double deviation, const T* x, T* out, int64_t count);

  // out_j = low or high with probability p/2 each, else x_j.
  void (*salt_and_pepper)(const NoiseKey& key, double p, T low, T high, const T* x, T* out,
                          int64_t count);

  // velocity_j = momentum · velocity_j − rate · gradient_j, point_j += velocity_j. Returns
  // Σ gradient_j², in double.
  double (*momentum_step)(T rate, T momentum, const T* gradient, T* velocity, T* point,
                          int64_t count);

  // mean_j and square_j move towards gradient_j and its square by their weights, and then
  // point_j −= rate · mean_j / (√square_j · root_scale + epsilon). Returns Σ gradient_j², in
  // double.
  double (*adam_step)(const AdamStep<T>& step, const T* gradient, T* mean, T* square, T* point,
                      int64_t count);

  const char* name;  // of the instruction set
};

// The fastest that this CPU can run.
template <class T>
const Kernels<T>& BestKernels();

// One of "portable", "avx2" and "avx512"; null where this build or this CPU does not have it.
template <class T>
const Kernels<T>* FindKernels(const char* name);

}  // namespace rhohat
