// A phase: one method of a stage, from where the one before came to.
#pragma once

#include <span>
#include <string>

#include "base/state.h"
#include "data/row_source.h"
#include "network/corruption.h"
#include "objective/objective.h"
#include "rhohat/observer.h"
#include "rhohat/options.h"
#include "sweep/executor.h"
#include "sweep/sweep.h"
#include "train/checkpointer.h"
#include "train/reporter.h"
#include "train/shared_input.h"
#include "train/stage_progress.h"
#include "train/stages.h"

namespace rhohat {

// What the phases of a stage work with; all of it outlives them.
template <class T>
struct PhaseSurroundings {
  const Stage& stage;
  const OptimizerOptions& options;
  SweepOptions sweep;          // of passes over all rows; they stand still for checkpoints
  ObjectiveSchedule schedule;  // the same
  RowSource& source;
  Executor& executor;
  RowTransform<T>* transform;  // null where rows are trained on as they are
  SharedInput<T>& input;       // what other models may have of all this
  NoiseSource noise;
  Reporter& reporter;
  StageProgress& progress;
  Checkpointer& checkpoints;
  const RunControl& control;

  // Of passes that cannot be gone on with: they end where the run is asked to stop, and are done
  // anew.
  SweepOptions BriefSweep() const {
    SweepOptions brief = sweep;
    brief.pauses = nullptr;
    brief.stop = control.stop;
    return brief;
  }
};

// Allocates what it needs when it is made. Not thread-safe.
template <class T>
class Phase {
 public:
  virtual ~Phase() = default;

  // Returns why it ended. Throws Error, or Stopped. After Visit() has loaded a state it goes on
  // from there.
  virtual std::string Minimise() = 0;

  // May be called whenever `checkpoints` saves, and after Minimise(). Loading may read rows.
  virtual void Visit(State& state) = 0;

  // The parameters that the last line of metrics is about; of no meaning before the first.
  virtual std::span<const T> point() const = 0;

  // Of all its passes so far.
  virtual SweepCounts counts() const = 0;
};

}  // namespace rhohat
