// An observer that keeps what a run tells, and asks it to stop on the way.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "rhohat/observer.h"

namespace rhohat {

struct Recorder : RunObserver {
  void OnNote(const std::string& line) override {
    notes.push_back(line);
    if (line.starts_with(stop_at_note) && !stop_at_note.empty()) stop = true;
  }
  void OnWarning(const std::string& line) override { warnings.push_back(line); }
  void OnIteration(const IterationMetrics& metrics) override {
    lines.push_back(metrics);
    if (metrics.iteration == stop_at) stop = true;
  }
  void OnPassProgress(const PassProgress& progress) override {
    last_progress = progress;
    if (--blocks_left == 0) stop = true;
  }

  std::vector<IterationMetrics> lines;
  std::vector<std::string> notes;
  std::vector<std::string> warnings;
  PassProgress last_progress;

  int64_t stop_at = -1;      // the iteration
  std::string stop_at_note;  // that begins so
  int64_t blocks_left = -1;  // calls of progress, which come after each block or batch
  std::atomic<bool> stop = false;
};

// Stops at the call it is told: of progress, or of a line.
struct Stopper : Recorder {
  explicit Stopper(int64_t blocks = -1, int64_t iteration = -1) {
    blocks_left = blocks;
    stop_at = iteration;
  }
};

}  // namespace rhohat
