// What a job for a planned run asks Slurm for.
#pragma once

#include <optional>
#include <string>

#include "rhohat/plan.h"

namespace rhohat {

// Lines `#SBATCH …`. Memory is so that the run finds its budget in it, which is 7/8 of what a job
// has: with --memory that budget, else what the plan comes to. Time is --max-time and a few
// minutes, or the estimate and a quarter; neither where there is neither.
std::string BatchHeader(const TrainOptions& options, const MemoryPlan& memory,
                        const std::optional<TimePlan>& time);

}  // namespace rhohat
