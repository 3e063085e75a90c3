// The rows of an epoch as mini-batches, mixed, each row once.
//
// Where the window is as large as the data set, all rows are brought into memory once, and an epoch
// is a random permutation of them: nothing is read after that. Else they are read ahead in the
// background while batches are computed (batch_reader.h). The order is a function of the options
// and of the data's layout alone (batch_order.h), whatever the threads.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "base/aligned_buffer.h"
#include "data/row_source.h"
#include "sweep/batch_order.h"
#include "sweep/batch_reader.h"
#include "sweep/executor.h"
#include "sweep/row_store.h"
#include "sweep/row_transform.h"
#include "sweep/sweep.h"

namespace rhohat {

struct BatchStreamOptions {
  uint64_t seed = 1;
  int64_t batch_rows = 256;
  int64_t mix_rows = 0;  // of the window, 1 or more
};

// One thread calls Start() and Next(). T is float or double.
template <class T>
class BatchStream {
 public:
  // `source`, `executor` and `transform`, where there is one, must outlive the stream. `sweep` is
  // for bringing all rows into memory. All memory is allocated here.
  BatchStream(RowSource& source, Executor& executor, const BatchStreamOptions& options,
              const SweepOptions& sweep, RowTransform<T>* transform = nullptr);

  // What a stream takes beside a sweep's own memory and a transform's. `transform_columns` are
  // those of its result, 0 where there is none.
  static uint64_t MemoryBytes(const RowSource& source, const BatchStreamOptions& options,
                              int64_t transform_columns, int64_t threads);

  // The largest window that fits `bytes`: all rows, or at least one.
  static int64_t MostMixRows(const RowSource& source, const BatchStreamOptions& options,
                             int64_t transform_columns, int64_t threads, uint64_t bytes);

  // Begins with batch rows_done / B of epoch `epoch`, and goes on with those after it: `epochs` in
  // all. While an epoch is under way the source is the stream's own.
  void Start(int64_t epoch, int64_t epochs, int64_t rows_done = 0);

  // The next batch of the epoch; false at its end: the next call begins the next epoch. Throws what
  // reading threw, or Stopped.
  bool Next();

  // Of the batch: its rows' numbers in the data set. All have B but the last of an epoch.
  std::span<const int64_t> numbers() const { return batch_.numbers; }

  // Copies rows [begin, end) of the batch to `out`, transformed. Thread-safe: for the executor's
  // tasks. Throws Error(kBadData), naming the row, where a value is not finite.
  void CopyRows(RowRange range, std::span<T> out);

  // Lets go of the source.
  void Stop();

  // All there is to save beside the options: the epoch, and how many of its rows have been handed
  // out.
  int64_t epoch() const { return epoch_; }
  int64_t rows_done() const { return rows_done_; }

  // All rows, transformed, as a source that reads nothing, after the first Start(); null where they
  // do not fit.
  RowSource* held_rows() { return holds_all_ ? &held_rows_ : nullptr; }
  bool holds_all() const { return holds_all_; }
  int64_t columns() const { return columns_; }
  int64_t unit_rows() const { return order_.unit_rows; }
  // Distinct units in a batch, on average; `unit_rows` consecutive rows each.
  double units_per_batch() const { return mixing_.UnitsPerBatch(); }
  uint64_t bytes_read() const { return source_.bytes_read() - bytes_before_; }
  double wait_seconds() const { return wait_seconds_ + (reader_ ? reader_->wait_seconds() : 0); }

 private:
  class Worker;

  void ReadAll();
  void PickRows();
  void CopyTransformed(RowRange range, std::span<T> out);

  RowSource& source_;
  Executor& executor_;
  BatchStreamOptions options_;
  SweepOptions sweep_;
  RowTransform<T>* transform_;
  bool holds_all_;
  int64_t columns_;  // of what CopyRows() gives
  BatchOrderOptions order_;
  RowStore<T> store_;
  StoreSource<T> held_rows_;

  // Of each of the transform's workers.
  std::vector<AlignedBuffer<double>> decoded_;
  std::mutex workers_mutex_;
  std::vector<int64_t> free_workers_;

  MixingMeter mixing_;
  bool has_all_ = false;

  BatchRows batch_;
  int64_t epoch_ = 0;
  int64_t end_epoch_ = 0;
  int64_t rows_done_ = 0;
  std::optional<KeyedPermutation> permutation_;  // of the epoch, where all rows are held
  std::optional<BatchReader<T>> reader_;
  uint64_t bytes_before_;
  double wait_seconds_ = 0;
};

}  // namespace rhohat
