// The choices that shape a computation and its last bits: how many rows a block has and how many
// lanes there are. They follow from the network and the options alone, never from the machine.
#pragma once

#include <cstdint>

#include "network/parameters.h"
#include "rhohat/options.h"

namespace rhohat {

// `options` with every automatic choice made.
ComputeOptions ResolveCompute(const ComputeOptions& options, const NetworkShape& shape);

// Blocks that the sweep holds at once: enough that no thread waits for another's block to be read.
int64_t ComfortableBlocksAhead(int64_t threads);
int64_t LeastBlocksAhead(int64_t threads);

}  // namespace rhohat
