#include "train/stage_progress.h"

#include <fmt/core.h>

#include <algorithm>
#include <numeric>

#include "cluster/machine.h"

namespace rhohat {
namespace {

double SecondsBetween(RunMeter::Clock::time_point from, RunMeter::Clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

}  // namespace

StageProgress::StageProgress(std::string stage, int64_t rows, Reporter reporter, RunMeter& meter)
    : stage_(std::move(stage)),
      rows_(rows),
      reporter_(reporter),
      meter_(meter),
      rows_noted_(meter.rows_evaluated) {}

void StageProgress::Note(const IterationResult& result, const SweepCounts& counts) {
  const RunMeter::Clock::time_point now = RunMeter::Clock::now();
  rho_hat_.assign(result.rho_hat.begin(), result.rho_hat.end());
  const auto [smallest, largest] = std::ranges::minmax(rho_hat_);
  const double sum = std::accumulate(rho_hat_.begin(), rho_hat_.end(), 0.0);
  const double rows_here = meter_.rows_evaluated - rows_noted_;
  rows_noted_ = meter_.rows_evaluated;
  const double seconds_here = SecondsBetween(iteration_started_, now);
  iteration_started_ = now;
  meter_.last = {.iteration = meter_.last.iteration + 1,
                 .data_passes = meter_.rows_evaluated / static_cast<double>(rows_),
                 .stage = stage_,
                 .optimizer = optimizer_,
                 .cost = result.cost,
                 .cost_over = result.over,
                 .gradient_norm = result.gradient_norm,
                 .rho_hat_mean = sum / static_cast<double>(rho_hat_.size()),
                 .rho_hat_min = smallest,
                 .rho_hat_max = largest,
                 .seconds = meter_.seconds_now(),
                 .rows_per_second = rows_here / std::max(seconds_here, 1e-9),
                 .rows_in_sample = result.rows_in_sample,
                 .bytes_read = meter_.bytes_read + counts.bytes_read,
                 .wait_seconds = meter_.wait_seconds + counts.wait_seconds,
                 .peak_rss_bytes = PeakResidentBytes()};
  NoteExtremeUnits(result.extreme_units);
  reporter_.Iteration(meter_.last);
}

void StageProgress::Visit(State& state) {
  state.Vector("rho_hat", rho_hat_);
  state.Number("extreme_units", extreme_units_);
  state.Number("rows_noted", rows_noted_);
}

void StageProgress::NoteExtremeUnits(int64_t units) {
  if (units == extreme_units_) return;
  extreme_units_ = units;
  reporter_.Note(fmt::format("iteration {}: {} units have a mean activation of 0 or 1 to rounding",
                             meter_.last.iteration, units));
}

}  // namespace rhohat
