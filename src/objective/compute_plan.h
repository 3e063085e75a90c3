// The choices that shape a computation and its last bits: how many rows a block has and how many
// lanes there are. They follow from the network and the options alone, never from the machine.
#pragma once

#include <cstdint>

#include "network/parameters.h"
#include "rhohat/options.h"

namespace rhohat {

// `options` with every automatic choice made.
ComputeOptions ResolveCompute(const ComputeOptions& options, const NetworkShape& shape);

}  // namespace rhohat
