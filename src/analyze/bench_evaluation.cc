#include "analyze/bench_evaluation.h"

#include "analyze/machine_rates.h"

namespace rhohat {

template <class T>
BenchEvaluations<T>::BenchEvaluations(const BenchOptions& options, const NetworkShape& shape,
                                      RowSource& source, const SweepOptions& sweep)
    : options_(options),
      shape_(shape),
      source_(source),
      sweep_options_(sweep),
      parameters_(static_cast<size_t>(shape.parameters())),
      gradient_(parameters_.size()) {
  InitialiseParameters(shape, static_cast<uint64_t>(options.compute.seed), parameters_.span());
}

template <class T>
size_t BenchEvaluations<T>::MemoryBytes(const NetworkShape& shape) {
  return 2 * static_cast<size_t>(shape.parameters()) * sizeof(T);
}

template <class T>
EvaluationTimes BenchEvaluations<T>::Measure(const ObjectiveSchedule& schedule,
                                             uint64_t cache_bytes, Executor& executor,
                                             double seconds) {
  SweepOptions sweep_options = sweep_options_;
  sweep_options.cache_bytes = cache_bytes;
  Sweep<T> sweep(source_, executor, sweep_options);
  const NoiseSource noise{.seed = static_cast<uint64_t>(options_.compute.seed)};
  Objective<T> objective(shape_, options_.network, options_.objective, noise, sweep, schedule);
  const auto evaluate = [&] {
    objective.EvaluateWithGradient(parameters_.span(), gradient_.span());
  };
  evaluate();
  const SweepCounts before = sweep.counts();
  const double processor_before = ProcessorSeconds();
  const double start = SecondsNow();
  double evaluations = 0;
  double taken = 0;
  do {
    evaluate();
    ++evaluations;
    taken = SecondsNow() - start;
  } while (taken < seconds);
  const SweepCounts& after = sweep.counts();
  return {.rows_per_second = evaluations * static_cast<double>(source_.rows()) / taken,
          .seconds = taken / evaluations,
          .wait_seconds = (after.wait_seconds - before.wait_seconds) / evaluations,
          .bytes_read = static_cast<double>(after.bytes_read - before.bytes_read) / evaluations,
          .processor_seconds = (ProcessorSeconds() - processor_before) / evaluations};
}

template class BenchEvaluations<float>;
template class BenchEvaluations<double>;

}  // namespace rhohat
