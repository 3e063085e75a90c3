// What the traces of a run mean.
//
// Two things cannot be read off a file. Whether a process is still at work: its lock says so, or
// nobody can. And whether that process gets anywhere: it is given much more time than its lines
// have lately taken, and more than the interval between checkpoints, which it writes in the middle
// of long passes too.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "analyze/run_traces.h"
#include "base/folder_lock.h"
#include "rhohat/error.h"
#include "rhohat/grid.h"
#include "rhohat/status.h"
#include "rhohat/train.h"

namespace rhohat {
namespace {

namespace fs = std::filesystem;

constexpr double kLeastPatience = 60;    // seconds
constexpr double kPatienceOfLines = 10;  // times the longest of the last intervals
constexpr double kPatienceOfCheckpoints = 2;

RunState StateOf(const RunTraces& traces, const LockOwner& owner) {
  using Owner = LockOwner::State;
  if (owner.state == Owner::kAtWork) return RunState::kRunning;
  if (traces.has_model) return RunState::kFinished;
  if (owner.state == Owner::kUnknown) return RunState::kUnknown;
  if (owner.state == Owner::kKilled) return RunState::kInterrupted;
  if (traces.ended_by_error) return RunState::kFailed;
  if (traces.checkpoint) return RunState::kStopped;
  return traces.lines.empty() ? RunState::kNotStarted : RunState::kInterrupted;
}

// Seconds between the last lines: their mean, and the longest. Both 0 where there are too few, or
// where the lines are not of one story.
struct Pace {
  double mean = 0;
  double longest = 0;
};

Pace PaceOf(const std::vector<IterationMetrics>& lines) {
  Pace pace;
  if (lines.size() < 2) return pace;
  for (size_t i = 1; i < lines.size(); ++i) {
    const double seconds = lines[i].seconds - lines[i - 1].seconds;
    if (!(seconds >= 0)) return {};
    pace.longest = std::max(pace.longest, seconds);
  }
  pace.mean =
      (lines.back().seconds - lines.front().seconds) / static_cast<double>(lines.size() - 1);
  return pace;
}

bool LooksStalled(const RunTraces& traces, const Pace& pace, double silent_seconds) {
  if (traces.lines.size() < 2) return false;  // nothing is known of how long a line takes
  double patience = std::max(kLeastPatience, kPatienceOfLines * pace.longest);
  if (traces.options) {
    const double between_checkpoints = traces.options->job.checkpoint_seconds;
    patience = std::max(patience, kPatienceOfCheckpoints * between_checkpoints + kLeastPatience);
  }
  return silent_seconds > patience;
}

std::optional<double> SecondsLeft(const RunStatus& status, double seconds_since_line) {
  if (status.state != RunState::kRunning || !status.last || !status.last_iteration ||
      status.line_seconds <= 0) {
    return std::nullopt;
  }
  const int64_t iterations = *status.last_iteration - status.last->iteration;
  if (iterations < 0) return std::nullopt;
  const double left = status.line_seconds * static_cast<double>(iterations);
  return std::max(0.0, left - seconds_since_line);
}

}  // namespace

std::string_view RunStateName(RunState state) {
  constexpr std::array<std::string_view, 7> kNames = {
      "not started", "running", "finished", "stopped", "interrupted", "failed", "unknown"};
  return kNames.at(static_cast<size_t>(state));
}

RunStatus ReadRunStatus(const std::string& folder, std::chrono::system_clock::time_point now) {
  std::error_code fault;
  if (!fs::is_directory(folder, fault)) {
    throw Error(ErrorKind::kNoInput,
                fmt::format("{}: expected the folder of a run, found {}", folder,
                            fs::exists(folder, fault) ? "a file" : "nothing"));
  }
  const double seconds = std::chrono::duration<double>(now.time_since_epoch()).count();
  // The owner first: a run that ends between the two has then left all that it leaves.
  const LockOwner owner = FindLockOwner(folder);
  const RunTraces traces = ReadRunTraces(folder, seconds);
  if (!traces.has_config && !traces.has_metrics && !traces.has_model) {
    if (IsGridFolder(folder)) {
      throw Error(
          ErrorKind::kNoInput,
          fmt::format("{0}: holds the models of a grid: 'rhohat status {0}/*' tells of each",
                      folder));
    }
    throw Error(ErrorKind::kNoInput,
                fmt::format("{}: holds no run: there is no config.toml", folder));
  }
  RunStatus status{.state = StateOf(traces, owner),
                   .host = owner.host,
                   .process = owner.process,
                   .job = owner.job,
                   .checkpoint = traces.checkpoint,
                   .last_warning = traces.last_warning};
  if (!traces.lines.empty()) status.last = traces.lines.back();
  if (traces.options) status.last_iteration = LastIteration(*traces.options);
  const Pace pace = PaceOf(traces.lines);
  status.line_seconds = pace.mean;
  // Clocks of a file system's server and of this host need not agree.
  status.silent_seconds = std::max(0.0, seconds - traces.last_sign_at);
  status.stalled =
      status.state == RunState::kRunning && LooksStalled(traces, pace, status.silent_seconds);
  status.seconds_left = SecondsLeft(status, std::max(0.0, seconds - traces.line_written_at));
  return status;
}

}  // namespace rhohat
