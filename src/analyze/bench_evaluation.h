// Evaluations of J and its gradient as a training run makes them, timed.
#pragma once

#include <cstdint>

#include "base/aligned_buffer.h"
#include "data/row_source.h"
#include "network/parameters.h"
#include "objective/objective.h"
#include "rhohat/bench.h"
#include "sweep/executor.h"
#include "sweep/sweep.h"

namespace rhohat {

struct EvaluationTimes {
  double rows_per_second = 0;
  double seconds = 0;            // of one evaluation, on average
  double wait_seconds = 0;       // the same, waiting for data
  double bytes_read = 0;         // the same, from storage
  double processor_seconds = 0;  // the same, used by all threads, reading ones too
};

// What the evaluations of one bench have in common.
template <class T>
class BenchEvaluations {
 public:
  // All references must outlive the object.
  BenchEvaluations(const BenchOptions& options, const NetworkShape& shape, RowSource& source,
                   const SweepOptions& sweep);

  // What stays allocated; what an evaluation takes is the objective's and the sweep's to say.
  static size_t MemoryBytes(const NetworkShape& shape);

  // Makes sums and workspaces as at the beginning of a run, evaluates once unmeasured, so that
  // memory is there and caches are filled, then for about `seconds`, at least once. The schedule is
  // not kAuto; `cache_bytes` are for rows kept from pass to pass.
  EvaluationTimes Measure(const ObjectiveSchedule& schedule, uint64_t cache_bytes,
                          Executor& executor, double seconds);

 private:
  const BenchOptions& options_;
  NetworkShape shape_;
  RowSource& source_;
  SweepOptions sweep_options_;
  AlignedBuffer<T> parameters_;
  AlignedBuffer<T> gradient_;
};

}  // namespace rhohat
