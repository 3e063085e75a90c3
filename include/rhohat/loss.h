// The reconstruction losses there are: one table, a row each.
//
// The formulas behind the rows are in src/math/loss_kernels.inc, in the same order.
#pragma once

#include <string_view>

namespace rhohat {

enum class Loss { kSquared, kCrossEntropy };

struct LossInfo {
  Loss value;
  std::string_view name;
  // Defined for a sigmoid decoder and rows within [0, 1] only; computed from the decoder's input
  // (logits), so that it never overflows.
  bool from_logits;
};

inline constexpr LossInfo kLosses[] = {
    {Loss::kSquared, "squared", false},
    {Loss::kCrossEntropy, "cross-entropy", true},
};

constexpr const LossInfo& InfoOf(Loss loss) { return kLosses[static_cast<int>(loss)]; }

}  // namespace rhohat
