// One run of `rhohat bench`: ceilings and evaluations, measured in turn, round after round, so that
// whatever else the machine does falls on all of them.
#pragma once

#include <string>
#include <vector>

#include "analyze/bench_evaluation.h"
#include "analyze/bench_figures.h"
#include "analyze/first_rows.h"
#include "analyze/machine_rates.h"
#include "data/row_source.h"
#include "rhohat/bench.h"
#include "rhohat/memory_plan.h"
#include "rhohat/observer.h"
#include "sweep/executor.h"

namespace rhohat {

// A schedule that the objective accepts.
struct BenchCandidate {
  size_t measurement = 0;  // its place in BenchResult::schedules
  ComputeOptions compute;  // resolved
  EvaluationWork work;
  std::vector<ScheduleRound> rounds;
};

// What a measurement may take so that all rounds fit into the time.
double SliceOf(double seconds, size_t schedules, int64_t threads);

// T is the type of the computation.
template <class T>
class BenchRun {
 public:
  // Plans memory, then allocates all but what an evaluation takes. All candidates have the same
  // blocks and lanes. References must outlive the object. Throws Error(kUsage) where the budget is
  // too small.
  BenchRun(const BenchOptions& options, const NetworkShape& shape,
           std::vector<BenchCandidate> candidates, RowSource& source, const RunControl& control);

  // Completes `result`, which has a place for each candidate.
  void Run(BenchResult& result);

 private:
  const ComputeOptions& compute() const { return candidates_.front().compute; }
  SweepOptions SweepOf() const;
  void CheckStop() const;
  void Note(const std::string& line) const;
  void ChooseRows(BenchResult& result);
  void MeasureRound();
  void PlanCaches();
  EvaluationTimes Evaluate(const BenchCandidate& candidate, Executor& executor);
  void Fill(BenchResult& result) const;
  void Remark(BenchResult& result) const;

  const BenchOptions& options_;
  NetworkShape shape_;
  std::vector<BenchCandidate> candidates_;
  FirstRows rows_;
  int64_t rows_in_data_;
  const RunControl& control_;
  double slice_ = 0;
  uint64_t spare_bytes_ = 0;  // that the plan leaves, for codes; set with it
  MemoryPlan plan_;
  // Of the rows measured, what kCached keeps.
  uint64_t cache_bytes_ = 0;
  uint64_t code_bytes_ = 0;
  Executor executor_;
  BareProducts<T> products_;
  MemoryStream memory_;
  BenchEvaluations<T> evaluations_;
  std::vector<double> processor_shares_;  // of the products of each round
  std::vector<MachineRates> machine_;     // of each round
  std::vector<double> against_one_;       // the same
  double first_decode_ = 0;               // rows per second
};

}  // namespace rhohat
