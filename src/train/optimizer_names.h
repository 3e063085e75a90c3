// What the methods are called, and what they choose themselves where the user does not.
#pragma once

#include <array>
#include <string_view>

#include "rhohat/options.h"

namespace rhohat {

struct OptimizerInfo {
  OptimizerKind value;
  std::string_view name;
  double learning_rate;  // where none is given; 0 where the method has none
};

// In the order of OptimizerKind.
inline constexpr std::array<OptimizerInfo, 6> kOptimizers = {{
    {OptimizerKind::kLbfgs, "lbfgs", 0},
    {OptimizerKind::kProgressive, "progressive", 0},
    {OptimizerKind::kConjugateGradient, "cg", 0},
    {OptimizerKind::kGradientDescent, "gd", 0.1},
    {OptimizerKind::kSgd, "sgd", 0.01},
    {OptimizerKind::kAdam, "adam", 5e-3},
}};

constexpr const OptimizerInfo& InfoOf(OptimizerKind kind) {
  return kOptimizers[static_cast<size_t>(kind)];
}

constexpr bool IsStochastic(OptimizerKind kind) {
  return kind == OptimizerKind::kSgd || kind == OptimizerKind::kAdam;
}

constexpr double LearningRateOf(OptimizerKind kind, const OptimizerOptions& options) {
  return options.learning_rate > 0 ? options.learning_rate : InfoOf(kind).learning_rate;
}

}  // namespace rhohat
