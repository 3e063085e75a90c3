#pragma once
#include <hdf5.h>
#include <vector>
#include "data/chunk_filter.h"
namespace rhohat { void AddFilters(hid_t properties, const std::vector<ChunkFilter>& filters); }
