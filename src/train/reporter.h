// What happens in a run, told to whoever watches it and to its log alike.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "rhohat/observer.h"
#include "train/run_folder.h"

namespace rhohat {

// Not thread-safe. `folder` must outlive it; `observer` may be null.
class Reporter {
 public:
  Reporter(RunFolder& folder, RunObserver* observer) : folder_(folder), observer_(observer) {}

  void Note(const std::string& line) {
    folder_.Log(LogLevel::kInfo, line);
    if (observer_ != nullptr) observer_->OnNote(line);
  }
  // For the log alone.
  void Log(const std::string& line) { folder_.Log(LogLevel::kInfo, line); }
  void Warn(const std::string& line) {
    folder_.Log(LogLevel::kWarning, line);
    if (observer_ != nullptr) observer_->OnWarning(line);
  }
  // The line of that iteration, where there is one.
  std::optional<IterationMetrics> MetricsOf(int64_t iteration) const {
    return folder_.MetricsOf(iteration);
  }
  void Iteration(const IterationMetrics& metrics) {
    folder_.AppendMetrics(metrics);
    if (observer_ != nullptr) observer_->OnIteration(metrics);
  }

 private:
  RunFolder& folder_;
  RunObserver* observer_;
};

}  // namespace rhohat
