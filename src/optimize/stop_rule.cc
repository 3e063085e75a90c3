#include "optimize/stop_rule.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>

namespace rhohat {

std::optional<std::string> StopRule::Stop(double cost, double gradient_norm) {
  ++iteration_;
  // The window must see every cost, whichever condition answers.
  std::optional<std::string> decrease = CheckDecrease(cost);
  if (auto reason = CheckGradient(gradient_norm)) return reason;
  if (decrease) return decrease;
  if (iteration_ < options_.iterations) return std::nullopt;
  return fmt::format("{} iteration{} reached", iteration_, iteration_ == 1 ? "" : "s");
}

void StopRule::Visit(State& state) {
  state.Number("iteration", iteration_, -1, std::numeric_limits<int64_t>::max() / 2);
  state.Array("costs", std::span<double>(costs_));
}

std::optional<std::string> StopRule::CheckGradient(double gradient_norm) const {
  if (!(gradient_norm <= options_.gradient_tolerance)) return std::nullopt;
  if (gradient_norm == 0) return "the gradient vanishes";
  return fmt::format("gradient norm {:.2g} is at or below {}", gradient_norm,
                     options_.gradient_tolerance);
}

std::optional<std::string> StopRule::CheckDecrease(double cost) {
  double& oldest = costs_[static_cast<size_t>(iteration_ % kWindow)];
  const double before = oldest;
  oldest = cost;
  if (iteration_ < kWindow || options_.tolerance <= 0) return std::nullopt;
  const double scale = std::max(std::abs(cost), std::numeric_limits<double>::min());
  if (!(before - cost < options_.tolerance * scale)) return std::nullopt;
  if (before < cost) return "J rose over ten iterations";
  return fmt::format("J fell by less than {} of itself over ten iterations", options_.tolerance);
}

}  // namespace rhohat
