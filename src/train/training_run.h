// One training run: its preparation, its stages one after another, and what they leave.
#pragma once

#include <optional>

#include "data/data_set.h"
#include "rhohat/train.h"
#include "train/resume.h"
#include "train/run_folder.h"

namespace rhohat {

// Minimises the objective in T, float or double, and leaves the model in the folder. `options` are
// resolved and `plan` fits them. Stages that `resume` knows the result of are not trained again.
// Throws Error, or Stopped after the parameters reached are saved.
template <class T>
TrainResult RunTraining(const TrainOptions& options, const MemoryPlan& plan, DataSet& data,
                        RunFolder& folder, std::optional<ResumePoint> resume,
                        const RunControl& control);

}  // namespace rhohat
