// The activation functions there are: one table, a row each.
//
// The formulas behind the rows are in src/math/activation_kernels.inc, in the same order.
#pragma once

#include <limits>
#include <string_view>

namespace rhohat {

enum class Activation { kSigmoid, kTanh, kRelu, kLinear };

struct ActivationInfo {
  std::string_view name;
  // Values lie strictly inside (low, high) in exact arithmetic; ReLU's include its 0.
  double low;
  double high;
  // r(a) = mean_scale · a + mean_shift: what ρ̂ is a mean of (docs/math.md §1).
  double mean_scale;
  double mean_shift;
  Activation value;
  // r(a) lies in [0, 1], so that the KL penalty is defined.
  bool has_kl;
  // May stand at the output.
  bool for_decoder;
};

inline constexpr double kUnbounded = std::numeric_limits<double>::infinity();

inline constexpr ActivationInfo kActivations[] = {
    {"sigmoid", 0, 1, 1, 0, Activation::kSigmoid, true, true},
    {"tanh", -1, 1, 0.5, 0.5, Activation::kTanh, true, true},
    {"relu", 0, kUnbounded, 1, 0, Activation::kRelu, false, false},
    {"linear", -kUnbounded, kUnbounded, 1, 0, Activation::kLinear, false, true},
};

constexpr const ActivationInfo& InfoOf(Activation activation) {
  return kActivations[static_cast<int>(activation)];
}

}  // namespace rhohat
