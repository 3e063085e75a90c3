// What a stage has come to so far, and the lines of metrics.jsonl that tell it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/state.h"
#include "rhohat/observer.h"
#include "sweep/row_pass.h"
#include "train/reporter.h"
#include "train/run_meter.h"

namespace rhohat {

// What an iteration, or an epoch, came to.
struct IterationResult {
  CostTerms cost;
  CostOver over = CostOver::kAllRows;
  int64_t rows_in_sample = 0;
  double gradient_norm = 0;
  std::span<const double> rho_hat;
  int64_t extreme_units = 0;  // see Objective::extreme_units()
};

// Not thread-safe.
class StageProgress {
 public:
  // `rows` are the data set's. Reporter and meter outlive the object.
  StageProgress(std::string stage, int64_t rows, Reporter reporter, RunMeter& meter);

  // The lines that follow are this method's.
  void BeginMethod(std::string_view optimizer) { optimizer_ = optimizer; }

  // Rows of which J and ∇J were computed; half of it where J alone was.
  void CountRows(double rows) { meter_.rows_evaluated += rows; }

  // Numbers evaluations for OnPassProgress(), from 1.
  int64_t NextEvaluation() { return ++meter_.evaluations; }

  // Writes a line. `counts` are those of the phase so far.
  void Note(const IterationResult& result, const SweepCounts& counts);

  void Visit(State& state);

  // A phase has ended, having read that much.
  void EndPhase(const SweepCounts& counts) { meter_.AddCounts(counts); }

  // Of the last line. Nothing was noted where a stage was stopped early.
  bool has_iterations() const { return !rho_hat_.empty(); }
  const IterationMetrics& last() const { return meter_.last; }
  int64_t iteration() const { return meter_.last.iteration; }
  const std::vector<double>& rho_hat() const { return rho_hat_; }
  double cost() const { return meter_.last.cost.total(); }
  double gradient_norm() const { return meter_.last.gradient_norm; }

 private:
  void NoteExtremeUnits(int64_t units);

  std::string stage_;
  std::string optimizer_;
  int64_t rows_;
  Reporter reporter_;
  RunMeter& meter_;
  std::vector<double> rho_hat_;
  int64_t extreme_units_ = 0;
  double rows_noted_;
  RunMeter::Clock::time_point iteration_started_ = RunMeter::Clock::now();
};

}  // namespace rhohat
