// The memory of a training run, added up before it is allocated.
#pragma once

#include "rhohat/options.h"
#include "sweep/memory_planner.h"

namespace rhohat {

// `compute` is resolved.
MemoryPlan PlanTrainingMemory(const TrainOptions& options, const ComputeOptions& compute,
                              const RowSource& source);

}  // namespace rhohat
