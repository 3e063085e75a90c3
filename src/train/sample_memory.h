// Memory for the samples of the progressive method.
#pragma once

#include <cstdint>

#include "data/row_source.h"
#include "rhohat/memory_plan.h"
#include "rhohat/options.h"

namespace rhohat {

// Adds to a complete plan, where there are samples at all, as many rows of them as fit; fewer rows
// are fewer samples. They are gone before all rows are passed over again and again, so what is
// planned to keep those is there for samples first: the item is what they take beyond that, within
// `spare_bytes`.
template <class T>
void AddSamples(const TrainOptions& options, const ComputeOptions& compute, const RowSource& source,
                uint64_t spare_bytes, MemoryPlan& plan);

// Makes what the plan allows a part of the configuration, where there is a progressive method.
void ResolveSampleLimit(const MemoryPlan& plan, OptimizerOptions& options);

}  // namespace rhohat
