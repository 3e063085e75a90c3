// The minimisation of one objective: optimiser × objective × stop conditions × metrics.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "data/row_source.h"
#include "network/corruption.h"
#include "objective/objective.h"
#include "objective/prepared_rows.h"
#include "optimize/optimizer.h"
#include "optimize/stop_rule.h"
#include "sweep/executor.h"
#include "sweep/sweep.h"
#include "train/reporter.h"
#include "train/run_meter.h"
#include "train/stages.h"

namespace rhohat {

// What a stage works with; all of it outlives the stage.
template <class T>
struct StageSurroundings {
  const OptimizerOptions& optimizer;
  SweepOptions sweep;
  RowSource& source;
  Executor& executor;
  RowTransform<T>* transform;  // null where rows are trained on as they are
  NoiseSource noise;
  Reporter& reporter;
  RunMeter& meter;
  const RunControl& control;
};

template <class T>
class TrainingStage {
 public:
  // All memory is allocated here.
  TrainingStage(const Stage& stage, const StageSurroundings<T>& surroundings,
                std::span<const T> start);

  // Returns why it ended. Throws Error, or Stopped.
  std::string Minimise();

  // What was reached: the last finished iteration's parameters and ρ̂. Nothing was where it has no
  // iterations.
  bool has_iterations() const { return !rho_hat_.empty(); }
  std::span<const T> point() const { return optimizer_->point(); }
  const std::vector<double>& rho_hat() const { return rho_hat_; }
  double cost() const { return around_.meter.last.cost.total(); }
  const SweepCounts& counts() const { return sweep_.counts(); }

 private:
  CostTerms EvaluateTrial();
  void NoteIteration(const CostTerms& cost);
  void ReportPass(int64_t rows_done);
  void NoteExtremeUnits();
  [[noreturn]] void ThrowNotFinite(const CostTerms& cost) const;
  bool KeepsItsBest() const;

  const Stage& stage_;
  StageSurroundings<T> around_;
  Sweep<T> sweep_;
  Objective<T> objective_;
  AlignedBuffer<T> gradient_;
  std::unique_ptr<Optimizer<T>> optimizer_;
  StopRule stop_rule_;

  std::vector<double> rho_hat_;  // at the last iteration
  int64_t extreme_units_ = 0;
  int64_t evaluations_noted_;
  int64_t rows_before_evaluation_ = 0;
  RunMeter::Clock::time_point iteration_started_ = RunMeter::Clock::now();
};

}  // namespace rhohat
