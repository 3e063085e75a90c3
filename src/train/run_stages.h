// A run's stages, one after another: the rows are prepared, each stage's objective is minimised on
// them, and after each stage there is a model.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/state.h"
#include "rhohat/memory_plan.h"
#include "rhohat/model.h"
#include "rhohat/observer.h"
#include "rhohat/options.h"
#include "sweep/row_transform.h"
#include "train/checkpointer.h"
#include "train/reporter.h"
#include "train/run_folder.h"
#include "train/run_state.h"
#include "train/shared_input.h"
#include "train/stage_progress.h"
#include "train/training_stage.h"

namespace rhohat {

// What the stages of a run work with; all of it outlives them.
template <class T>
struct RunSurroundings {
  const TrainOptions& options;  // resolved
  const MemoryPlan& plan;
  SharedInput<T>& input;
  const DataIdentity& data;
  RunFolder& folder;
  Reporter& reporter;
  Checkpointer& checkpoints;
  const RunControl& control;
};

// Not thread-safe.
template <class T>
class RunStages {
 public:
  explicit RunStages(const RunSurroundings<T>& around);

  // Returns what they came to. Throws Error, or Stopped.
  Model Run();

  // May be called whenever the checkpointer saves.
  void Save(State& state);

  // Before Run(), which then goes on from there. `last` is the last line of metrics. May read rows.
  void Load(State& state, const IterationMetrics& last);

  // Whether there is a model of the stage under way: of the last line of metrics, and its
  // parameters.
  bool has_iterations() const { return training_ && progress_->has_iterations(); }
  Model ModelOf(const std::string& stop_reason) const;
  std::vector<T> Flat() { return state_.Flat(training_->point()); }

  const IterationMetrics& last() const { return state_.meter.last; }

 private:
  void Prepare();
  void SetPreparation();
  void RunStage();
  void BeginStage();
  void Freeze();
  void FindNoise();
  void MakeStage();
  void VisitStage(State& state);
  void Keep(const std::string& stop_reason);
  RowTransform<T>* Transform();

  RunSurroundings<T> around_;
  SharedInput<T>& input_;
  RunState<T> state_;
  Model model_;  // what the stages so far have come to

  // The stage under way, where it has begun.
  std::optional<StageProgress> progress_;
  std::optional<TrainingStage<T>> training_;
};

}  // namespace rhohat
