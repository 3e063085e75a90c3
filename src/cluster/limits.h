// What this process may use of the machine, and what it uses.
#pragma once

#include <cstdint>
#include <string>

namespace rhohat {

// Processors that the process may run on: its affinity, not the machine's count.
int64_t AvailableThreads();

// Memory of the machine.
uint64_t HostMemoryBytes();

// The tightest memory limit of the control groups (version 1 or 2) that the process is in, up the
// tree: a batch system's sits on any level. The largest number where there is none. The folder is
// where they are mounted, the file says which are the process's.
uint64_t CgroupMemoryBytes(const std::string& folder = "/sys/fs/cgroup",
                           const std::string& membership = "/proc/self/cgroup");

// Address space that the process may still reserve (ulimit -v); the largest number where there is
// no limit.
uint64_t AddressSpaceLeft();

// Resident memory of this process: now, and the most it has ever been.
uint64_t ResidentBytes();
uint64_t PeakResidentBytes();

}  // namespace rhohat
