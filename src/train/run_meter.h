// What a run has done and cost so far, over all of its stages.
#pragma once

#include <chrono>
#include <cstdint>

#include "rhohat/observer.h"
#include "sweep/row_pass.h"

namespace rhohat {

// Phases add to it, and the lines of metrics.jsonl are made from it. Not thread-safe.
struct RunMeter {
  using Clock = std::chrono::steady_clock;

  IterationMetrics last{.iteration = -1};  // the last line, where there is one
  int64_t evaluations = 0;
  double rows_evaluated = 0;
  uint64_t bytes_read = 0;    // by the phases before this one
  double wait_seconds = 0;    // the same
  double seconds_before = 0;  // of a run that this one goes on with
  Clock::time_point started = Clock::now();

  double seconds_now() const {
    return seconds_before + std::chrono::duration<double>(Clock::now() - started).count();
  }

  void AddCounts(const SweepCounts& counts) {
    bytes_read += counts.bytes_read;
    wait_seconds += counts.wait_seconds;
  }
};

}  // namespace rhohat
