// Compute threads and memory budget with every automatic choice made, and why they are what they
// are.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cluster/limits.h"
#include "rhohat/options.h"

namespace rhohat {

struct ResolvedResources {
  int64_t threads = 0;
  uint64_t memory_bytes = 0;
  // In words, and what other limits there are: "half of this machine's 23 GiB".
  std::string threads_source;
  std::string memory_source;
  // What was asked for beyond the limits: it is what the user said, but a batch system may not see
  // it so.
  std::vector<std::string> warnings;
};

// What is asked for holds. Otherwise threads are as many as the tightest limit lets run. The memory
// budget is 7/8 of the tightest limit: a control group counts the pages of files and the kernel's
// own memory for the process too, which is in no plan, and a job that passes its limit is killed.
// Without a limit it is half of the machine's, which other programs share. Throws Error(kUsage)
// where `options` ask for a number of threads that cannot be.
ResolvedResources Resolve(const ResourceOptions& options, const Limits& limits = FindLimits());

}  // namespace rhohat
