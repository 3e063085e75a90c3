// The choices that shape a computation and its last bits: how many rows a block has and how many
// lanes there are. They follow from the network and the options alone, never from the machine.
#pragma once

#include <cstdint>

#include "network/parameters.h"
#include "rhohat/options.h"

namespace rhohat {

// `options` with every automatic choice made but the schedule, which depends on the memory there
// is. Throws Error(kUsage) where the network's parameters or the values of a block cannot be
// counted.
ComputeOptions ResolveCompute(const ComputeOptions& options, const NetworkShape& shape);

// Rows of a block that are computed at once: a tile, with all that is made of it between two
// products, stays in the second-level cache, and products of small networks stay small enough for
// kernels of their own (network/forward_parameters.h). A function of the network alone.
int64_t TileRows(const NetworkShape& shape);

// Passes over the rows that one gradient takes: two where a penalty on ρ̂ is part of every row's
// gradient, else one.
int64_t PassesOf(const ObjectiveOptions& options);

// Of one row's share in J and its gradient: two for each multiplication and addition in a product.
double FlopsPerRow(const NetworkShape& shape, int64_t passes);

}  // namespace rhohat
