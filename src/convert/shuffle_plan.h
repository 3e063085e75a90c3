// Where every row goes, as a pure function of the seed and the row's number.
//
// Every row has a random key; the shuffled order is the order of the keys, as
// numpy.argsort(keys) gives it. A bucket holds the rows whose keys lie in one of `buckets` equal
// parts of the key's range, so that buckets, each sorted, make the whole order one after another
// (Rao 1961; Sandelius 1962), and the order does not depend on how many buckets there are. Rows
// whose keys are equal are told apart by a second key, so that no order is favoured.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/keyed_random.h"
#include "data/row_source.h"

namespace rhohat {

class ShuffleKeys {
 public:
  explicit ShuffleKeys(uint64_t seed)
      : first_(seed, RandomPurpose::kShuffleBucket), second_(seed, RandomPurpose::kShuffleOrder) {}

  uint64_t Key(int64_t row) const { return first_.Bits(static_cast<uint64_t>(row)); }

  // Whether row a comes before row b, where their keys are equal.
  bool TieBefore(int64_t a, int64_t b) const;

 private:
  KeyedRandom first_;
  KeyedRandom second_;
};

// The part of the range of keys, of `buckets` equal ones, that holds `key`; ascending in it.
size_t BucketOf(uint64_t key, size_t buckets);

// Adds to `counts`, one number a bucket, how many of `rows` go to each. Reads no data; some ten
// nanoseconds a row. `stopped` is asked now and then; returns false as soon as it says so.
bool CountRows(const ShuffleKeys& keys, RowRange rows, std::vector<int64_t>& counts,
               const std::function<bool()>& stopped);

}  // namespace rhohat
