#include "train/result_verdict.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "rhohat/error.h"

namespace rhohat {
namespace {

constexpr double kSaturated = 1e-6;  // from 0 or 1

}  // namespace

void ThrowDiverged(std::string_view where, const std::string& fault) {
  throw Error(ErrorKind::kUsage,
              fmt::format("{}: the iteration diverged: {}; try a smaller --learning-rate, in "
                          "another folder or after removing this run's",
                          where, fault));
}

std::string RiseBetween(const IterationMetrics& began, const IterationMetrics& ended,
                        double fraction) {
  if (began.cost_over != CostOver::kAllRows || ended.cost_over != CostOver::kAllRows) return "";
  const double before = began.cost.total();
  const double after = ended.cost.total();
  if (!(after - before > fraction * std::abs(before))) return "";
  return fmt::format("J rose from {:.6g} at iteration {} to {:.6g} at iteration {}", before,
                     began.iteration, after, ended.iteration);
}

std::string Saturation(std::span<const double> rho_hat, Activation activation) {
  const auto is_saturated = [](double mean) {
    return mean <= kSaturated || mean >= 1 - kSaturated;
  };
  if (!InfoOf(activation).has_kl || rho_hat.empty() ||
      !std::ranges::all_of(rho_hat, is_saturated)) {
    return "";
  }
  return fmt::format(
      "all {} units have a mean activation within {:g} of 0 or 1: their codes tell "
      "nothing of a row",
      rho_hat.size(), kSaturated);
}

}  // namespace rhohat
