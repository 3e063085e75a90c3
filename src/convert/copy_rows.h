// One pass over the rows of a source on one thread, in blocks: the loop of everything that copies
// rows without computing.
#pragma once

#include <cstdint>
#include <functional>

#include "convert/row_encoder.h"
#include "data/hdf5_writer.h"
#include "data/row_source.h"
#include "rhohat/observer.h"

namespace rhohat {

// Hands the rows of `range`, unpacked, to `use`, block after block in ascending order. Returns the
// first row that was not handed over: range.end, or less where `control` asked to stop.
int64_t ForEachBlock(RowSource& source, RowRange range, int64_t block_rows,
                     const RunControl& control, const std::function<void(const RawRows&)>& use);

// Writes all rows of `source`, encoded, and tells `progress` after each block how many are done.
// Returns their number, or less where `control` asked to stop.
int64_t CopyRows(RowSource& source, int64_t block_rows, RowEncoder& encoder, Hdf5Writer& writer,
                 const RunControl& control, const std::function<void(int64_t)>& progress);

}  // namespace rhohat
