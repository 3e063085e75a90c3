// One training run: evaluate, let the optimiser step, note the iteration, ask whether to stop.
#pragma once

#include "data/data_set.h"
#include "rhohat/train.h"
#include "train/run_folder.h"

namespace rhohat {

// Minimises the objective in T, float or double, and leaves the model in the folder. `compute` is
// resolved and `plan` fits it. Throws Error, or Stopped after the parameters reached are saved.
template <class T>
TrainResult RunTraining(const TrainOptions& options, const ComputeOptions& compute,
                        const MemoryPlan& plan, DataSet& data, RunFolder& folder,
                        const RunControl& control);

}  // namespace rhohat
