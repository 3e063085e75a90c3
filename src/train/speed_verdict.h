// What a run waited for, in a line for whoever would like it to be faster.
#pragma once

#include <string>

#include "rhohat/observer.h"

namespace rhohat {

// What there is to do about reading.
struct SpeedContext {
  std::string file;             // the first, for a command to look at it
  bool reads_twice = false;     // for one evaluation, where fused would read once
  bool keeps_all_rows = false;  // rows stay in memory already
};

// "read-bound: 63 % of the time waiting for data; …" where compute threads waited for a tenth of
// the time or more, "compute-bound: 98 % of the time computing; …" else. As the next rows are read
// while these are computed, whoever waits reads slower than it computes.
std::string SpeedVerdict(const IterationMetrics& last, const SpeedContext& context);

}  // namespace rhohat
