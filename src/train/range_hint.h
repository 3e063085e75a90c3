// The most common mistake with sigmoid decoders, caught before hours are spent on it.
#pragma once

#include <cstdint>

#include "data/data_set.h"
#include "rhohat/options.h"
#include "train/reporter.h"

namespace rhohat {

// Warns where the first `rows` rows, once prepared, hold values that the decoder cannot produce,
// which is nearly always data that was not scaled. A hint, not a check of all rows.
void WarnIfOutOfReach(DataSet& data, const Preparation& preparation, const NetworkOptions& network,
                      int64_t rows, Reporter& reporter);

}  // namespace rhohat
