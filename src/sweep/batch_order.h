// The order in which one epoch of stochastic training visits the rows: a pure function of (seed,
// epoch, row) and of the configuration, so that going on in the middle takes four numbers.
//
// Where all rows fit the window, it is a keyed permutation of them. Else rows are read unit by unit
// (stretches of consecutive rows that are cheap to read), the units in keyed order, and mixed by
// scatter: an arriving row takes a random place of the window, and whoever stood there is visited.
// So a row waits for a time that is geometrically distributed with the window's size as its mean,
// and the window never holds more than its size. At the end its places are emptied in random order.
//
// A window of W rows in a plain shuffle buffer that is filled and emptied mixes W rows; this one
// reaches several times as far, with a tail: rows of one batch come from all over the last few W.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/keyed_permutation.h"
#include "base/keyed_random.h"
#include "data/row_source.h"

namespace rhohat {

struct BatchOrderOptions {
  int64_t rows = 0;       // of the data set
  int64_t unit_rows = 1;  // read together
  int64_t mix_rows = 1;   // of the window; no less than `rows`: a full permutation
  uint64_t seed = 1;
  int64_t epoch = 0;
};

// Units of whole parcels, and not so small that reading them one by one costs more than reading on:
// a function of the data's layout alone.
int64_t UnitRows(const RowSource& source);

// Units of an epoch in the order they are read in. Thread-safe.
class UnitOrder {
 public:
  explicit UnitOrder(const BatchOrderOptions& options);

  int64_t size() const { return order_.size(); }
  RowRange operator()(int64_t position) const;

 private:
  int64_t rows_;
  int64_t unit_rows_;
  KeyedPermutation order_;
};

// The window. Entries are what the caller makes of an arriving row. Not thread-safe.
template <class Entry>
class Scatter {
 public:
  explicit Scatter(const BatchOrderOptions& options)
      : random_(options.seed, RandomPurpose::kBatchDelay),
        epoch_(static_cast<uint64_t>(options.epoch) << 40),
        capacity_(options.mix_rows),
        drain_(options.seed, RandomPurpose::kBatchDelay, static_cast<uint64_t>(options.epoch),
               options.mix_rows) {
    places_.reserve(static_cast<size_t>(capacity_));
  }

  // Takes in the next row in the order of reading; returns the one that is visited now, if any.
  std::optional<Entry> Arrive(Entry entry) {
    const uint64_t arrival = arrivals_++;
    if (std::ssize(places_) < capacity_) {
      places_.push_back(entry);
      return std::nullopt;
    }
    std::swap(entry, places_[Place(arrival)]);
    return entry;
  }

  // After the last row: the next of those that remain; null where there is none.
  Entry* Drain() {
    while (drained_ < capacity_) {
      const auto place = static_cast<size_t>(drain_(drained_++));
      if (place < places_.size()) return &places_[place];
    }
    return nullptr;
  }

  std::vector<Entry>& places() { return places_; }
  static constexpr size_t kBytesEach = sizeof(Entry);

 private:
  size_t Place(uint64_t arrival) const {
    const double uniform = random_.Uniform(epoch_ | arrival);
    return std::min(static_cast<size_t>(uniform * static_cast<double>(capacity_)),
                    places_.size() - 1);
  }

  KeyedRandom random_;
  uint64_t epoch_;  // in the upper bits, above all arrivals
  int64_t capacity_;
  KeyedPermutation drain_;
  std::vector<Entry> places_;
  uint64_t arrivals_ = 0;
  int64_t drained_ = 0;
};

// How well batches are mixed: distinct units in a batch.
class MixingMeter {
 public:
  MixingMeter(int64_t rows, int64_t unit_rows);
  static size_t MemoryBytes(int64_t rows, int64_t unit_rows);

  void AddBatch(std::span<const int64_t> rows);

  // Of all batches so far; 0 before the first.
  double UnitsPerBatch() const {
    return batches_ == 0 ? 0 : static_cast<double>(units_) / static_cast<double>(batches_);
  }

 private:
  int64_t unit_rows_;
  std::vector<int64_t> last_batch_;  // that had a row of the unit
  int64_t batches_ = 0;
  int64_t units_ = 0;
};

}  // namespace rhohat
