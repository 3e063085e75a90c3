// The memory of a training run, added up before it is allocated.
#pragma once

#include <span>

#include "data/row_source.h"
#include "rhohat/memory_plan.h"
#include "rhohat/options.h"

namespace rhohat {

// `compute` is resolved.
MemoryPlan PlanTrainingMemory(const TrainOptions& options, const ComputeOptions& compute,
                              const RowSource& source);

// Of models that are trained from one read of the rows: they differ in options of the objective and
// the optimiser alone, and there is at least one. What each model takes counts for each, what
// reading takes counts once. `code_bytes` are those of one model; flops are those of all.
MemoryPlan PlanTrainingMemory(std::span<const TrainOptions> models, const ComputeOptions& compute,
                              const RowSource& source);

}  // namespace rhohat
