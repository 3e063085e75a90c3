#include "analyze/measure_evaluation.h"

#include <algorithm>

#include "analyze/bench_evaluation.h"
#include "analyze/first_rows.h"
#include "analyze/machine_rates.h"
#include "analyze/reading_rates.h"
#include "objective/code_cache.h"
#include "sweep/executor.h"
#include "sweep/kept_blocks.h"

namespace rhohat {
namespace {

constexpr double kReadingSeconds = 0.4;
constexpr double kEvaluationSeconds = 0.5;  // of the evaluation that is measured in the end

// Schedules other than the squared loss's cost differ by little, and rows that are not prepared
// may lie where another loss is not defined.
BenchOptions BenchOf(const TrainOptions& options, const ComputeOptions& compute) {
  BenchOptions bench;
  bench.network = options.network;
  bench.objective = options.objective;
  bench.objective.loss = Loss::kSquared;
  bench.compute = compute;
  return bench;
}

// What the first `rows` rows may keep: the share that all rows may, if that is all of them.
template <class T>
class KeptShare {
 public:
  KeptShare(const MemoryPlan& plan, const RowSource& source, const NetworkShape& shape)
      : plan_(plan), source_(source), units_(shape.encoder_units()) {}

  uint64_t CacheBytes(int64_t rows) const {
    if (plan_.kept_rows < plan_.rows) return 0;
    return KeptBlocks::BytesForAll(
        {.rows = rows,
         .block_rows = plan_.block_rows,
         .parcel_rows = source_.ParcelRows(),
         .row_bytes = Sweep<T>::KeptRowBytes(source_.type(), source_.columns(), 0)});
  }

  uint64_t CodeBytes(int64_t rows) const {
    const int64_t blocks = (rows + plan_.block_rows - 1) / plan_.block_rows;
    const double share = static_cast<double>(plan_.kept_codes) / static_cast<double>(plan_.rows);
    const auto kept = static_cast<uint64_t>(share * static_cast<double>(blocks));
    return kept * CodeCache<T>::BlockBytes(plan_.block_rows, units_);
  }

 private:
  const MemoryPlan& plan_;
  const RowSource& source_;
  int64_t units_;
};

}  // namespace

template <class T>
EvaluationRates MeasureEvaluation(const TrainOptions& options, const ComputeOptions& compute,
                                  const MemoryPlan& plan, RowSource& source) {
  const double start = SecondsNow();
  const NetworkShape shape(source.columns(), options.network);
  const BenchOptions bench = BenchOf(options, compute);
  Executor executor(plan.threads);
  const SweepOptions sweep{
      .block_rows = plan.block_rows, .lanes = plan.lanes, .blocks_ahead = plan.blocks_ahead};
  FirstRows rows(source, source.rows());
  EvaluationRates rates;
  rates.reading_rows_per_second = MeasureFirstReading<T>(rows, executor, sweep, kReadingSeconds);

  BenchEvaluations<T> evaluations(bench, shape, rows, sweep);
  const KeptShare<T> kept(plan, source, shape);
  const auto measure = [&](int64_t count, double seconds) {
    rows.set_rows(count);
    return evaluations.Measure({.schedule = plan.schedule, .code_bytes = kept.CodeBytes(count)},
                               kept.CacheBytes(count), executor, seconds);
  };
  // From a block for each thread upwards, until an evaluation takes long enough to be timed.
  rates.rows = std::min(source.rows(), std::min(plan.threads, plan.lanes) * plan.block_rows);
  EvaluationTimes times = measure(rates.rows, 0);
  while (times.seconds < kEvaluationSeconds / 4 && rates.rows < source.rows()) {
    const double factor = std::clamp(kEvaluationSeconds / 2 / times.seconds, 2.0, 16.0);
    const double wanted = factor * static_cast<double>(rates.rows);
    rates.rows =
        wanted < static_cast<double>(source.rows()) ? static_cast<int64_t>(wanted) : source.rows();
    times = measure(rates.rows, 0);
  }
  if (times.seconds < kEvaluationSeconds) times = measure(rates.rows, kEvaluationSeconds);
  rates.compute_rows_per_second = times.rows_per_second;
  rates.seconds = SecondsNow() - start;
  return rates;
}

template EvaluationRates MeasureEvaluation<float>(const TrainOptions&, const ComputeOptions&,
                                                  const MemoryPlan&, RowSource&);
template EvaluationRates MeasureEvaluation<double>(const TrainOptions&, const ComputeOptions&,
                                                   const MemoryPlan&, RowSource&);

}  // namespace rhohat
