// How many threads and how much memory this process was given: by its affinity, by control groups,
// and by Slurm where a job of it runs here.
//
// Each limit says where it comes from, so that a log can tell what was found and what was chosen.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "cluster/control_groups.h"

namespace rhohat {

template <class Value>
struct Limit {
  Value value;
  std::string source;  // "the CPU quota of the control group"
};

// Both tightest first.
struct Limits {
  std::vector<Limit<int64_t>> threads;  // never empty, and none below 1
  std::vector<Limit<uint64_t>> memory;  // below the machine's memory; empty where nothing limits it
  uint64_t host_memory_bytes = 0;
  std::vector<std::string> warnings;  // of what was found and cannot be read
};

// Where limits are looked for: tests bring their own.
struct LimitSources {
  ControlGroups groups;
  // The value of an environment variable; null where there is none.
  std::function<const char*(const char* name)> environment;
  uint64_t host_memory_bytes = 0;
};

// Of this process on this machine.
LimitSources SystemLimitSources();

// Threads: the affinity mask; a quota of processor time, in whole processors; SLURM_CPUS_PER_TASK,
// or SLURM_CPUS_ON_NODE where a job did not say how many a task has. Memory: control groups;
// SLURM_MEM_PER_NODE; SLURM_MEM_PER_CPU for each of SLURM_CPUS_ON_NODE, as Slurm counts it by
// allocated processors, or else of SLURM_CPUS_PER_TASK. What cannot be read limits nothing, and
// is warned of.
Limits FindLimits(const LimitSources& sources = SystemLimitSources());

}  // namespace rhohat
