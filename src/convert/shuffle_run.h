// The shuffle with the numbers that a user need not know; none of them changes the result.
#pragma once

#include <cstdint>

#include "rhohat/shuffle.h"

namespace rhohat {

struct ShuffleTuning {
  uint64_t bucket_bytes = uint64_t{16} << 20;  // of rows in a bucket, where memory allows
  int64_t block_bytes = int64_t{4} << 20;      // of rows read or written at a time
  // Work that an interruption may cost: whichever of the two comes first.
  uint64_t checkpoint_bytes = uint64_t{1} << 30;
  double checkpoint_seconds = 30;
};

ShuffleResult ShuffleWith(const ShuffleOptions& options, const ShuffleTuning& tuning,
                          const RunControl& control);

}  // namespace rhohat
