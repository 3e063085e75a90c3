// From rates to how long a run will take.
#pragma once

#include "analyze/measure_evaluation.h"
#include "rhohat/plan.h"

namespace rhohat {

// Computing and reading go on at the same time, so that an evaluation takes as long as the slower
// of the two; rows that are kept are not read. `options` are those of the run, `rates` not 0.
TimePlan TimeOf(const TrainOptions& options, const MemoryPlan& plan, const EvaluationRates& rates);

}  // namespace rhohat
