// The machine, and what this process has of it now.
#pragma once

#include <cstdint>

namespace rhohat {

// Processors that the process may run on: its affinity, not the machine's count.
int64_t AffinityThreads();

// Memory of the machine.
uint64_t HostMemoryBytes();

// Address space that the process may still reserve (ulimit -v); the largest number where there is
// no limit.
uint64_t AddressSpaceLeft();

// The most resident memory that this process has ever had.
uint64_t PeakResidentBytes();

}  // namespace rhohat
