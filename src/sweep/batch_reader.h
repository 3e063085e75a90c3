// Reads ahead for mini-batches while others are computed: units in keyed order into a RowStore, and
// their rows through the scatter into batches.
//
//   any background thread, of a unit of its own          in order of units
//   Fetch ──▶ Read ──▶ Unpack ──────────────────────▶ places in the window, batches ──▶ copy to
//   slots
//     ▲                                                        │ waits for slots
//     └────────────────────────────────────────────────────────┘
//
// The compute threads are not used: one that waited here would be missing there. What is in memory
// is bounded by the store's slots: the window, the batches that wait, and the one being computed.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <limits>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <vector>

#include "data/row_source.h"
#include "sweep/batch_order.h"
#include "sweep/row_store.h"

namespace rhohat {

// Rows of one batch: their numbers in the data set, and their slots in the store.
struct BatchRows {
  std::vector<int64_t> numbers;
  std::vector<int64_t> slots;
};

struct BatchReaderOptions {
  BatchOrderOptions order;  // its epoch is the first
  int64_t epochs = 1;       // one after another, without a pause
  int64_t rows_done = 0;    // of the first: whole batches
  int64_t batch_rows = 256;
  int64_t threads = 1;
  const std::atomic<bool>* stop = nullptr;
};

// One thread calls Next(). T is float or double.
template <class T>
class BatchReader {
 public:
  // Slots that the store needs.
  static int64_t Slots(const BatchOrderOptions& order, int64_t batch_rows);

  // `source` and `store` must outlive the reader, and are its own until it is destroyed. Begins to
  // read at once.
  BatchReader(RowSource& source, RowStore<T>& store, const BatchReaderOptions& options);
  ~BatchReader();
  BatchReader(const BatchReader&) = delete;
  BatchReader& operator=(const BatchReader&) = delete;

  // Replaces the batch, whose slots are free from now on, by the next one: the last of an epoch may
  // be short. False, leaving it empty, after the last of all. Throws what reading threw once all
  // batches before that are out, or Stopped.
  bool Next(BatchRows& batch);

  // That Next() spent waiting.
  double wait_seconds() const { return wait_seconds_; }

 private:
  struct Entry {
    int64_t number;
    int64_t slot;
  };
  struct Unit {
    int64_t index = 0;  // of all units of all epochs, in the order of reading
    RowRange range;
  };
  struct Pending {
    BatchRows rows;
    int64_t last_unit = 0;  // whose rows must be there before it can be computed
    bool complete = false;
  };

  BatchOrderOptions OrderOf(int64_t epoch) const;
  void GoTo(int64_t rows_done);
  int64_t PassOver(int64_t arrivals);
  void ReadResidents();

  void Run();
  std::optional<Unit> FetchNext(RawRows& raw);
  void Process(const Unit& unit, RawRows& raw);
  std::optional<std::vector<int64_t>> Place(const Unit& unit);
  void Visit(const Unit& unit, const Entry& entry);
  void NoteCopied(const Unit& unit);
  void Fail(const Unit& unit);

  RowSource& source_;
  RowStore<T>& store_;
  const BatchReaderOptions options_;
  int64_t units_in_epoch_ = 0;
  int64_t units_ = 0;  // of all epochs

  // Where an epoch is gone on with: the unit that is begun, and its rows that have been.
  int64_t first_unit_ = 0;
  int64_t skipped_rows_ = 0;

  std::mutex fetch_mutex_;  // guards the source's Fetch() and the next three
  int64_t next_unit_ = 0;
  int64_t unit_epoch_ = 0;
  std::optional<UnitOrder> unit_order_;  // of that epoch

  std::mutex mutex_;  // guards everything below
  std::condition_variable changed_;
  int64_t turn_ = 0;  // the unit whose rows are placed next
  std::set<int64_t> copied_;
  int64_t copied_until_ = 0;  // all units before are in the store; copied_ has those beyond
  std::vector<int64_t> free_slots_;
  std::optional<Scatter<Entry>> window_;
  std::deque<Pending> batches_;  // the last may still grow
  int64_t visited_ = 0;          // rows of the epoch whose units are being placed
  bool quitting_ = false;
  int64_t failed_unit_ = std::numeric_limits<int64_t>::max();
  std::exception_ptr failure_;

  double wait_seconds_ = 0;
  std::vector<std::jthread> threads_;  // last, so that they end before the rest
};

}  // namespace rhohat
