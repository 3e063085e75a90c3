#include "analyze/reading_rates.h"

#include <algorithm>
#include <mutex>
#include <vector>

#include "analyze/machine_rates.h"
#include "rhohat/error.h"
#include "sweep/sweep.h"

namespace rhohat {
namespace {

// What a pass that only looks at rows adds up.
struct Nothing {
  void Clear() {}
  void Add(const Nothing&) {}
};

void CheckStop(const SweepOptions& options) {
  if (options.stop != nullptr && options.stop->load(std::memory_order_relaxed)) {
    throw Stopped("stopped on request");
  }
}

// Everything of the rows is read, by as many threads as there are tasks; nothing is unpacked.
void ReadPass(RowSource& source, Executor& executor, const SweepOptions& options) {
  std::mutex mutex;
  int64_t next = 0;  // behind the mutex
  executor.RunAll(executor.threads(), [&](int64_t) {
    RawRows rows;
    while (true) {
      CheckStop(options);
      {
        const std::lock_guard lock(mutex);
        if (next >= source.rows()) return;
        const RowRange range{next, std::min(source.rows(), next + options.block_rows)};
        next = range.end;
        source.Fetch(range, rows);
      }
      for (size_t i = rows.parcels.size() - rows.new_parcels; i < rows.parcels.size(); ++i) {
        rows.parcels[i]->Read();
      }
      source.Read(rows);
    }
  });
}

}  // namespace

template <class T>
ReadingRate MeasureDecoding(RowSource& source, Executor& executor, const SweepOptions& options,
                            double seconds) {
  Sweep<T> sweep(source, executor, options);
  std::vector<Nothing> lanes(static_cast<size_t>(options.lanes));
  const double start = SecondsNow();
  int64_t passes = 0;
  double taken = 0;
  do {
    sweep.Run(std::span(lanes), [](const Block<T>&, Nothing&) {});
    ++passes;
    taken = SecondsNow() - start;
  } while (taken < seconds);
  return {.rows_per_second = static_cast<double>(sweep.counts().rows) / taken,
          .bytes_per_pass = sweep.counts().bytes_read / static_cast<uint64_t>(passes)};
}

template <class T>
double MeasureFirstReading(RowSource& source, Executor& executor, const SweepOptions& options,
                           double seconds) {
  std::atomic<bool> enough = false;
  std::atomic<int64_t> rows = 0;
  SweepOptions limited = options;
  limited.stop = &enough;
  Sweep<T> sweep(source, executor, limited);
  std::vector<Nothing> lanes(static_cast<size_t>(options.lanes));
  const double start = SecondsNow();
  try {
    sweep.Run(std::span(lanes), [&](const Block<T>& block, Nothing&) {
      rows += block.range.size();
      const bool asked = options.stop != nullptr && options.stop->load(std::memory_order_relaxed);
      if (asked || SecondsNow() - start > seconds) enough = true;
    });
  } catch (const Stopped&) {
    CheckStop(options);
  }
  return static_cast<double>(rows) / (SecondsNow() - start);
}

double MeasureStoredBytes(RowSource& source, Executor& executor, const SweepOptions& options,
                          double seconds) {
  const uint64_t before = source.bytes_read();
  const double start = SecondsNow();
  double taken = 0;
  do {
    ReadPass(source, executor, options);
    taken = SecondsNow() - start;
  } while (taken < seconds);
  return static_cast<double>(source.bytes_read() - before) / taken;
}

template ReadingRate MeasureDecoding<float>(RowSource&, Executor&, const SweepOptions&, double);
template ReadingRate MeasureDecoding<double>(RowSource&, Executor&, const SweepOptions&, double);
template double MeasureFirstReading<float>(RowSource&, Executor&, const SweepOptions&, double);
template double MeasureFirstReading<double>(RowSource&, Executor&, const SweepOptions&, double);

}  // namespace rhohat
