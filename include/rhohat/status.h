// Where a training run is, told by what it has left in its folder.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "rhohat/observer.h"

namespace rhohat {

enum class RunState {
  kNotStarted,   // a run is configured there, and nothing of it was done
  kRunning,      // a process is at work
  kFinished,     // the model is there
  kStopped,      // ended on request: it can go on from its checkpoint
  kInterrupted,  // killed, or its host went down; it can go on from what it has
  kFailed,       // ended by an error
  kUnknown       // its process was on another host, and nothing here tells whether it still is
};

// "running", "not started", …
std::string_view RunStateName(RunState state);

struct RunStatus {
  RunState state = RunState::kUnknown;
  // Running, and silent for much longer than its pace explains.
  bool stalled = false;

  // Of the process at work, or of the last one where that did not end in good order; empty and 0
  // where nothing is known.
  std::string host;
  int64_t process = 0;
  std::string job;  // the batch system's number

  std::optional<IterationMetrics> last;   // the last whole line of metrics.jsonl
  std::optional<int64_t> last_iteration;  // the last there can be, where the method has one
  double line_seconds = 0;                // between lines, lately; 0 where there are too few
  double silent_seconds = 0;  // since anything was written: a line, a message, a checkpoint
  // At the present pace, where all iterations are needed; only while it runs.
  std::optional<double> seconds_left;

  struct Checkpoint {
    std::string file;  // below the run's folder
    double age_seconds = 0;
    std::optional<int64_t> iteration;
  };
  std::optional<Checkpoint> checkpoint;  // the latest

  std::string last_warning;  // the last line of run.log that is a warning or an error
};

// Reads what is there and nothing else: the run is not disturbed, and may write meanwhile.
//
// Throws Error(kNoInput) where the folder does not exist or holds no run.
RunStatus ReadRunStatus(const std::string& folder, std::chrono::system_clock::time_point now =
                                                       std::chrono::system_clock::now());

}  // namespace rhohat
