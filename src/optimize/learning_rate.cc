#include "optimize/learning_rate.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace rhohat {

double LearningRate::At(int64_t step) const {
  if (step < warmup_steps) {
    return base * static_cast<double>(step + 1) / static_cast<double>(warmup_steps);
  }
  if (!cosine) return base;
  const auto length = static_cast<double>(std::max<int64_t>(1, steps - warmup_steps));
  const double part = std::min(1.0, static_cast<double>(step - warmup_steps) / length);
  return base / 2 * (1 + std::cos(std::numbers::pi * part));
}

}  // namespace rhohat
