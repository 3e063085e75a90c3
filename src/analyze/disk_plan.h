// What a run's folder will hold, and what there is for it.
#pragma once

#include "rhohat/plan.h"

namespace rhohat {

// From the plan of its memory: a checkpoint has what the optimiser keeps and, in the middle of a
// pass, the sums of the lanes.
DiskPlan DiskOf(const TrainOptions& options, const MemoryPlan& plan);

}  // namespace rhohat
