#include "tools/signals.h"

#include <unistd.h>

#include <csignal>
#include <ctime>

namespace rhohat {
namespace {

constexpr long kMomentMilliseconds = 500;

std::atomic<bool> stop_requested = false;
std::atomic<int> first_signal = 0;
std::atomic<long> first_at = 0;  // of those that force
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<long>::is_always_lock_free);

long MonotonicMilliseconds() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
}

// SIGUSR1 is how a batch system announces the end of a job: it asks, never forces, and SIGTERM may
// follow while the last checkpoint is being written, with time still left. timeout(1), among
// others, sends its signal to the process and to its group, so that it comes twice within a moment:
// only a second one that comes later is meant as one.
void HandleSignal(int number) {
  int none = 0;
  first_signal.compare_exchange_strong(none, number);
  stop_requested = true;
  if (number == SIGUSR1) return;
  const long now = MonotonicMilliseconds();
  long unset = 0;
  if (first_at.compare_exchange_strong(unset, now)) return;
  if (now - unset > kMomentMilliseconds) _exit(128 + number);
}

}  // namespace

void IgnoreWriteSignals() {
  for (const int number : {SIGPIPE, SIGXFSZ}) std::signal(number, SIG_IGN);
}

void CatchStopSignals() {
  struct sigaction action {};
  action.sa_handler = HandleSignal;
  action.sa_flags = SA_RESTART;
  sigfillset(&action.sa_mask);
  for (const int number : {SIGINT, SIGTERM, SIGUSR1}) sigaction(number, &action, nullptr);
  // A terminal that goes away ends the run as SIGTERM would, unless nohup(1) said not to.
  struct sigaction hang_up {};
  sigaction(SIGHUP, nullptr, &hang_up);
  if (hang_up.sa_handler != SIG_IGN) sigaction(SIGHUP, &action, nullptr);
}

const std::atomic<bool>& StopRequested() { return stop_requested; }

int SignalExitCode() { return 128 + first_signal; }

}  // namespace rhohat
