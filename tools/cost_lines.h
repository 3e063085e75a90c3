// J and its terms for a person: the terms that the objective has, below their sum.
#pragma once

#include <fmt/core.h>

#include "tools/print.h"

namespace rhohat {

// Adds them to `lines`. `Terms` is IterationMetrics or Evaluation: both name the terms alike.
template <typename Terms>
void AddCostLines(const Terms& terms, Lines& lines) {
  const auto add_term = [&](const char* name, double value) {
    if (value != 0) lines.emplace_back(name, Number(value));
  };
  lines.emplace_back("J", Number(terms.cost));
  add_term("  reconstruction", terms.reconstruction);
  add_term("  weight decay", terms.weight_decay);
  add_term("  sparsity", terms.sparsity);
  add_term("  L1", terms.l1);
  add_term("  contraction", terms.contraction);
  lines.emplace_back("rho_hat", fmt::format("mean {}, from {} to {}", Number(terms.rho_hat_mean),
                                            Number(terms.rho_hat_min), Number(terms.rho_hat_max)));
}

}  // namespace rhohat
