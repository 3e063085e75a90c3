// How many lines of metrics a run can come to: for the time that is left.
#include <algorithm>
#include <optional>

#include "rhohat/train.h"

namespace rhohat {
namespace {

// Of one stage; nothing where a method grows its samples as it sees fit.
std::optional<int64_t> MostLines(const OptimizerOptions& options, int64_t iterations) {
  int64_t lines = 0;
  for (const OptimizerKind kind : options.methods) {
    if (kind == OptimizerKind::kProgressive) return std::nullopt;
    const bool stochastic = kind == OptimizerKind::kSgd || kind == OptimizerKind::kAdam;
    // A starting point, which the stage's first line is; at the end of a stochastic method, J over
    // all rows.
    if (lines == 0 || !stochastic) ++lines;
    lines += stochastic ? options.epochs + 1 : iterations;
  }
  return lines;
}

}  // namespace

std::optional<int64_t> LastIteration(const TrainOptions& options) {
  constexpr int64_t kMost = int64_t{1} << 40;  // of which so many stages still have a sum
  const int64_t iterations = std::clamp<int64_t>(options.optimizer.iterations, 0, kMost);
  const int64_t fine_tune = options.fine_tune < 0 ? iterations : std::min(options.fine_tune, kMost);
  const std::optional<int64_t> each = MostLines(options.optimizer, iterations);
  if (!each) return std::nullopt;
  if (!options.greedy) return *each - 1;
  return std::ssize(options.network.hidden) * *each + *MostLines(options.optimizer, fine_tune) - 1;
}

}  // namespace rhohat
