// How fast rows can be brought, measured: their stored bytes alone, and as numbers.
#pragma once

#include <cstdint>

#include "data/row_source.h"
#include "sweep/executor.h"
#include "sweep/row_pass.h"

namespace rhohat {

// Rates are over whole passes.
struct ReadingRate {
  double rows_per_second = 0;
  uint64_t bytes_per_pass = 0;  // from storage
};

// Passes over all rows for about `seconds`, at least one: read, unpacked, converted to T and
// checked, as for an evaluation that costs nothing. Throws what the source throws, and Stopped.
template <class T>
ReadingRate MeasureDecoding(RowSource& source, Executor& executor, const SweepOptions& options,
                            double seconds);

// The same over the first rows, for `seconds` at most: rows that nobody may have read lately.
template <class T>
double MeasureFirstReading(RowSource& source, Executor& executor, const SweepOptions& options,
                           double seconds);

// Bytes per second as stored, over whole passes for about `seconds`: the rows are fetched by all
// compute threads and neither unpacked nor looked at. 0 where the source reads nothing.
double MeasureStoredBytes(RowSource& source, Executor& executor, const SweepOptions& options,
                          double seconds);

}  // namespace rhohat
