#include "train/time_limit.h"

#include <algorithm>
#include <chrono>

namespace rhohat {
namespace {

// At least kept for the end, whatever a checkpoint takes: the machine may be busy, and a process
// takes a moment to end. Of a short time, a tenth.
constexpr double kLeastReserveSeconds = 0.5;

}  // namespace

TimeLimit::TimeLimit(double seconds, const RunControl& outer, size_t models)
    : outer_(outer), control_(outer), models_(static_cast<double>(models)) {
  if (seconds <= 0) return;
  control_.stop = &stop_;
  watcher_ = std::thread([this, seconds] { Watch(seconds); });
}

TimeLimit::~TimeLimit() {
  if (!watcher_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    has_ended_ = true;
  }
  ended_.notify_all();
  watcher_.join();
}

// Signals can only set a flag, so it is looked at every so often.
void TimeLimit::Watch(double seconds) {
  using Clock = std::chrono::steady_clock;
  constexpr auto kPeriod = std::chrono::milliseconds(20);
  const Clock::time_point start = Clock::now();
  const double least_reserve = std::min(kLeastReserveSeconds, seconds / 10);
  std::unique_lock lock(mutex_);
  while (!ended_.wait_for(lock, kPeriod, [this] { return has_ended_; })) {
    const std::chrono::duration<double> passed = Clock::now() - start;
    const double used = passed.count() + std::max<double>(reserve_seconds_, least_reserve);
    if (used >= seconds && !outer_.stop_requested()) ran_out_ = true;
    if (ran_out_ || outer_.stop_requested()) stop_ = true;
  }
}

}  // namespace rhohat
