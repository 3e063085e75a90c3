// J and the terms it is the sum of (docs/math.md §2), each with its weight in it.
#pragma once

namespace rhohat {

struct CostTerms {
  double reconstruction = 0;
  double weight_decay = 0;
  double sparsity = 0;
  double l1 = 0;
  double contraction = 0;

  double total() const { return reconstruction + weight_decay + sparsity + l1 + contraction; }
};

// The names by which reports know them, in their order.
struct CostTermInfo {
  const char* name;
  double CostTerms::*value;
};

inline constexpr CostTermInfo kCostTerms[] = {
    {"reconstruction", &CostTerms::reconstruction},
    {"weight_decay", &CostTerms::weight_decay},
    {"sparsity", &CostTerms::sparsity},
    {"l1", &CostTerms::l1},
    {"contraction", &CostTerms::contraction},
};

}  // namespace rhohat
