// Limits that the kernel's control groups set, version 1 and 2.
//
// A process is in one group of each hierarchy, and what binds it is the tightest limit of that
// group and all above it: a batch system's sits on any level. Files that are missing or cannot be
// read limit nothing, as where no control groups are mounted.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace rhohat {

// Where control groups are mounted, and the file that says which are the process's.
struct ControlGroups {
  std::string folder = "/sys/fs/cgroup";
  std::string membership = "/proc/self/cgroup";
};

// memory.limit_in_bytes; memory.max, and memory.high, above which processes are slowed to a crawl.
// No value where there is no limit. A limit above the machine's memory is returned like any other:
// version 1 says so that there is none.
std::optional<uint64_t> GroupMemoryBytes(const ControlGroups& groups);

// Processor time per time, in processors: "1.5". No value where there is no limit.
std::optional<double> GroupProcessors(const ControlGroups& groups);

}  // namespace rhohat
