// A stochastic method: steps after each mini-batch, epoch after epoch (docs/math.md §7).
//
// An epoch is a line of metrics, whose cost is the mean over the rows of what J was when their
// batch was trained on, and whose gradient norm is the root mean square of the batches'. The first
// line of a stage and the last of the phase are the exact J and gradient over all rows.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "objective/batch_objective.h"
#include "optimize/learning_rate.h"
#include "optimize/update_rule.h"
#include "sweep/batch_stream.h"
#include "train/phase.h"

namespace rhohat {

template <class T>
class StochasticPhase : public Phase<T> {
 public:
  // `around.options.mix_rows` is resolved.
  StochasticPhase(OptimizerKind kind, const PhaseSurroundings<T>& around, std::span<const T> start);

  // What it takes beside a sweep, an Objective and their gradient, with a window of one row.
  static uint64_t MemoryBytes(OptimizerKind kind, const OptimizerOptions& options,
                              const NetworkShape& shape, const ObjectiveOptions& objective,
                              const RowSource& source, int64_t transform_columns, int64_t threads);

  std::string Minimise() override;
  void Visit(State& state) override;
  std::span<const T> point() const override { return noted_; }
  SweepCounts counts() const override;

 private:
  // What an epoch has added up.
  struct Epoch {
    CostTerms cost;      // Σ over batches of J times its rows
    double squares = 0;  // Σ over batches of ‖∇‖²
    int64_t batches = 0;
    int64_t rows = 0;
  };

  void MakeRule(OptimizerKind kind, size_t parameters);
  void PlanRates(OptimizerKind kind);
  void NoteExact();
  void BeginStream();
  void RunEpoch();
  void FindRhoHat();
  void Step();
  void NoteEpoch();
  void NoteMixing();
  void ReportRows(int64_t done);
  int64_t BatchesInEpoch() const;

  const PhaseSurroundings<T>& around_;
  int64_t rows_;
  BatchStream<T> stream_;
  Sweep<T> sweep_;  // of exact passes
  Objective<T> exact_;
  BatchObjective<T> objective_;
  std::optional<RunningMean> running_;
  std::unique_ptr<UpdateRule<T>> rule_;
  LearningRate rate_;
  AlignedBuffer<T> gradient_;  // exact
  std::vector<double> panel_squares_;
  std::vector<T> point_;
  std::vector<T> noted_;  // at the last line

  // How far it is.
  bool has_first_line_ = false;
  int64_t epoch_ = 0;         // the one under way, or all of them
  bool has_rho_hat_ = false;  // that of the epoch, where it is exact
  Epoch sums_;                // of the epoch, batches that are done
  bool is_streaming_ = false;
  int64_t evaluation_ = 0;
  uint64_t bytes_before_;
};

}  // namespace rhohat
