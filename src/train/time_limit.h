// Stops a run by itself before its time is up, early enough to leave a checkpoint.
//
// A batch system kills what is still there at the end of its time. How long before that to stop
// follows from how long the checkpoints so far took; before the first one, from how much there is
// to write.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <thread>

#include "rhohat/observer.h"

namespace rhohat {

class TimeLimit {
 public:
  // `seconds` from now on; 0 sets no limit. `outer` is what else may ask the run to stop. There are
  // `models` to save when it stops, one after another.
  TimeLimit(double seconds, const RunControl& outer, size_t models = 1);
  ~TimeLimit();
  TimeLimit(const TimeLimit&) = delete;
  TimeLimit& operator=(const TimeLimit&) = delete;

  // For the run: asks to stop when either does.
  const RunControl& control() const { return control_; }

  // What is to be kept of the time for the end of the run, or of each model. Thread-safe.
  void Reserve(double seconds) { reserve_seconds_ = seconds; }
  void ReserveForEach(double seconds) { Reserve(seconds * models_); }

  // Whether it was the time that ran out.
  bool ran_out() const { return ran_out_; }

 private:
  void Watch(double seconds);

  const RunControl outer_;
  RunControl control_;
  const double models_;
  std::atomic<double> reserve_seconds_ = 0;
  std::atomic<bool> stop_ = false;
  std::atomic<bool> ran_out_ = false;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool has_ended_ = false;  // behind mutex_
  std::thread watcher_;
};

}  // namespace rhohat
