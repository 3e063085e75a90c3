// What a preparation has to know of the data, from passes over all rows (docs/math.md §8).
#pragma once

#include <cstdint>

#include "data/row_source.h"
#include "rhohat/observer.h"
#include "rhohat/preparation.h"
#include "sweep/executor.h"

namespace rhohat {

// Every sum is in double and in a fixed order of blocks of `block_rows` rows, so that the result is
// the same on any number of threads. kNone and kRange read nothing; kStandardize reads the rows
// once, kGlobal once, kZca and kPca twice. A standardised column that is constant gets scale 1, and
// the observer a note of how many are; OnRows() counts the rows of all passes. Throws Error(kUsage)
// for options or a width that cannot be, Error(kBadData) where the rows cannot be prepared so, and
// Stopped.
Preparation FitPreparation(const PreparationOptions& options, RowSource& source, Executor& executor,
                           int64_t block_rows, int64_t blocks_ahead, const RunControl& control);

// What it allocates at most, the result and the rows as numbers included, beside what every pass
// takes (MemoryPlanner). All but the result is free again when it returns. Throws Error(kUsage)
// where the data is too wide to be whitened.
size_t FitPreparationBytes(PreparationKind kind, int64_t inputs, int64_t block_rows,
                           int64_t threads);

}  // namespace rhohat
