// J and the terms it is the sum of (docs/math.md §2).
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

}  // namespace rhohat
