// What a run has written into its folder so far, read while it may still be writing: a line that is
// cut off, or a file that is just being replaced, counts as not there yet.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "rhohat/observer.h"
#include "rhohat/options.h"
#include "rhohat/status.h"

namespace rhohat {

struct RunTraces {
  bool has_config = false;
  bool has_metrics = false;
  bool has_model = false;
  std::optional<TrainOptions> options;  // config.toml's, where that can be read
  std::vector<IterationMetrics> lines;  // the last of metrics.jsonl, oldest first
  std::string last_warning;             // of run.log, errors included
  bool ended_by_error = false;          // the last line of run.log is an error
  std::optional<RunStatus::Checkpoint> checkpoint;
  // Seconds since 1970, by the file system's clock; 0 where there is nothing.
  double line_written_at = 0;
  double last_sign_at = 0;  // the latest change of any of the run's files
};

// `now` is in seconds since 1970.
RunTraces ReadRunTraces(const std::filesystem::path& folder, double now);

}  // namespace rhohat
