// A training run: its stages one after another, and what is saved of it on the way.
#pragma once

#include <memory>

#include "base/state_file.h"
#include "rhohat/train.h"
#include "train/data_identity.h"
#include "train/run_folder.h"
#include "train/shared_input.h"
#include "train/time_limit.h"

namespace rhohat {

// `options` are resolved, and all fit the plan. Goes on from `resume` where that is not null.
// `control` is the limit's, but for the observer. Throws Error, or Stopped once there is a
// checkpoint to go on from.
template <class T>
TrainResult RunTraining(const TrainOptions& options, const MemoryPlan& plan, SharedInput<T>& input,
                        const DataStamp& stamp, RunFolder& folder,
                        std::unique_ptr<StateReader> resume, const RunControl& control,
                        TimeLimit& limit);

}  // namespace rhohat
