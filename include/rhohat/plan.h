// What a training run will cost, before it is submitted: memory, disk, work and time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "rhohat/grid.h"
#include "rhohat/memory_plan.h"
#include "rhohat/options.h"

namespace rhohat {

// Upper estimates of what the run's folder will hold; of a grid, what each model's will.
struct DiskPlan {
  uint64_t model_bytes = 0;
  uint64_t checkpoint_bytes = 0;  // of one, at most
  int64_t checkpoints = 0;        // that stay, and one being written
  uint64_t metrics_bytes = 0;     // where all iterations are used; the log too
  uint64_t total_bytes = 0;       // of all models
  std::string folder;             // the run's, or where it will be made
  std::optional<uint64_t> free_bytes;
};

// Of one method, in all stages.
struct MethodTime {
  std::string method;       // "lbfgs"
  std::string unit;         // "iteration" or "epoch"
  double seconds_each = 0;  // over all rows
  int64_t units = 0;        // as many as are allowed
  double data_passes = 0;   // rows evaluated over the data's rows, in all of them
  double seconds = 0;       // the same
};

// From a measurement on the first rows of the data, with all compute threads.
struct TimePlan {
  int64_t rows_measured = 0;
  double seconds_measuring = 0;
  double compute_rows_per_second = 0;  // J and its gradient, of rows in memory
  double reading_rows_per_second = 0;  // read and decoded, when they were read first
  double seconds_per_evaluation = 0;   // over all rows, after the first
  bool bound_by_reading = false;       // which of the two that is
  std::vector<MethodTime> methods;
  // Where every method uses all the iterations or epochs that it is allowed; most runs converge
  // before that.
  double seconds_at_most = 0;
  std::vector<std::string> remarks;  // what to know when reading the figures
};

struct JobPlan {
  int64_t models = 1;
  MemoryPlan memory;
  DiskPlan disk;
  std::optional<TimePlan> time;  // where it was measured
  std::string batch_header;      // lines for a Slurm script, each with its line break
};

// Opens the data; with `measure`, computes on its first rows for about two seconds, within the
// memory planned. Throws Error(kUsage), naming the least budget that works and what dominates it,
// where the budget is too small, and what the readers throw. With `axes`, of a grid of models: see
// TrainGrid().
JobPlan PlanJob(const TrainOptions& options, bool measure, const std::vector<GridAxis>& axes = {});

}  // namespace rhohat
