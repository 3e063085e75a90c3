// Training, and the plan of the memory it takes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "rhohat/memory_plan.h"
#include "rhohat/model.h"
#include "rhohat/observer.h"
#include "rhohat/options.h"

namespace rhohat {

struct TrainResult {
  Model model;
  IterationMetrics last;
  std::string model_path;
};

// Minimises the objective over all rows and leaves a run folder (docs/formats/run-folder.md) with
// the model, its metrics, its log and its configuration.
//
// Throws Error; throws Stopped where `control` asked to stop, once there
// is a checkpoint in the run folder that it can be gone on from.
TrainResult Train(const TrainOptions& options, const RunControl& control);

// The number of the last line of metrics.jsonl where a run uses all iterations that it is allowed;
// nothing where the method itself says when to go on with more rows.
std::optional<int64_t> LastIteration(const TrainOptions& options);

// Opens the data, allocates nothing large. Throws Error(kUsage), naming the least budget that
// works and what dominates it, where the budget is too small.
MemoryPlan PlanTraining(const TrainOptions& options);

}  // namespace rhohat
