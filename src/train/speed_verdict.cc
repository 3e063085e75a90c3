#include "train/speed_verdict.h"

#include <fmt/core.h>

namespace rhohat {
namespace {

constexpr double kReadBound = 0.1;  // of the time, spent waiting

std::string WhatHelpsReading(const SpeedContext& context) {
  std::string help = fmt::format(
      "'rhohat info {}' tells how fast it can be read, and what would help", context.file);
  if (context.reads_twice) {
    help += "; --schedule fused reads rows once for an evaluation instead of twice";
  }
  if (!context.keeps_all_rows) help += "; more --memory keeps more rows from pass to pass";
  return help;
}

}  // namespace

std::string SpeedVerdict(const IterationMetrics& last, const SpeedContext& context) {
  const double computing = last.compute_fraction();
  if (1 - computing >= kReadBound) {
    return fmt::format("read-bound: {:.0f} % of the time waiting for data; {}",
                       100 * (1 - computing), WhatHelpsReading(context));
  }
  return fmt::format(
      "compute-bound: {:.0f} % of the time computing; more --threads help, a faster disk does not; "
      "'rhohat bench' tells how near to the machine's limit it is",
      100 * computing);
}

}  // namespace rhohat
