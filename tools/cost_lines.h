// J and its terms for a person: the terms that the objective has, below their sum.
#pragma once

#include <fmt/core.h>

#include <algorithm>
#include <string>

#include "rhohat/cost_terms.h"
#include "tools/print.h"

namespace rhohat {

// Adds them to `lines`. `Figures` is IterationMetrics or Evaluation: both have a cost and ρ̂.
template <typename Figures>
void AddCostLines(const Figures& figures, Lines& lines) {
  lines.emplace_back("J", Number(figures.cost.total()));
  for (const CostTermInfo& term : kCostTerms) {
    const double value = figures.cost.*term.value;
    if (value == 0) continue;
    std::string name = std::string("  ") + term.name;
    std::ranges::replace(name, '_', ' ');
    lines.emplace_back(name, Number(value));
  }
  lines.emplace_back("rho_hat",
                     fmt::format("mean {}, from {} to {}", Number(figures.rho_hat_mean),
                                 Number(figures.rho_hat_min), Number(figures.rho_hat_max)));
}

}  // namespace rhohat
