#include "analyze/bench_figures.h"

#include <algorithm>
#include <functional>

namespace rhohat {
namespace {

double MedianOf(const std::vector<ScheduleRound>& rounds,
                const std::function<double(const ScheduleRound&)>& value) {
  std::vector<double> values;
  values.reserve(rounds.size());
  for (const ScheduleRound& round : rounds) values.push_back(value(round));
  return Median(std::move(values));
}

}  // namespace

double ReadsPerRow(const ScheduleRound& round, const EvaluationWork& work) {
  if (round.machine.decode_bytes == 0) return static_cast<double>(work.passes);
  return round.evaluation.bytes_read / static_cast<double>(round.machine.decode_bytes);
}

// How long the products would take, over how long all of it took: both in processor time.
double ProductShare(const ScheduleRound& round, const EvaluationWork& work) {
  const double rows = round.evaluation.rows_per_second * round.evaluation.seconds;
  const double bare = rows * work.flops_per_row / round.products.flops_per_processor_second;
  return bare / round.evaluation.processor_seconds;
}

Ceilings CeilingsOf(const ScheduleRound& round, const EvaluationWork& work, int64_t element_bytes) {
  Ceilings ceilings;
  ceilings.products = round.products.flops_per_second / work.flops_per_row;
  ceilings.memory = round.machine.memory_bytes_per_second / BytesPerRow(work, element_bytes);
  const double reads = ReadsPerRow(round, work);
  if (reads > 0) ceilings.reading = round.machine.decode_rows_per_second / reads;
  return ceilings;
}

ScheduleMeasurement Summarise(const std::vector<ScheduleRound>& rounds, const EvaluationWork& work,
                              const NetworkShape& shape, int64_t element_bytes) {
  const auto median = [&](const auto& value) { return MedianOf(rounds, value); };
  const auto ceilings_of = [&](const ScheduleRound& round) {
    return CeilingsOf(round, work, element_bytes);
  };
  ScheduleMeasurement result;
  result.nominal_flops_per_row = WorkOf(shape, Schedule::kTwoPass, true).flops_per_row;
  result.flops_per_row = work.flops_per_row;
  result.bytes_per_row = BytesPerRow(work, element_bytes);
  result.rows_per_second = median([](const auto& r) { return r.evaluation.rows_per_second; });
  result.seconds = median([](const auto& r) { return r.evaluation.seconds; });
  result.wait_seconds = median([](const auto& r) { return r.evaluation.wait_seconds; });
  result.reads_per_row = median([&](const auto& r) { return ReadsPerRow(r, work); });
  result.product_flops_per_second =
      median([](const auto& r) { return r.products.flops_per_second; });
  result.ceilings = {.products = median([&](const auto& r) { return ceilings_of(r).products; }),
                     .reading = median([&](const auto& r) { return ceilings_of(r).reading; }),
                     .memory = median([&](const auto& r) { return ceilings_of(r).memory; })};
  result.product_share = median([&](const auto& r) { return ProductShare(r, work); });
  result.fraction = result.rows_per_second / result.ceilings.smallest();
  std::vector<double> fractions;
  fractions.reserve(rounds.size());
  for (const ScheduleRound& round : rounds) {
    fractions.push_back(round.evaluation.rows_per_second / ceilings_of(round).smallest());
  }
  const auto [least, most] = std::ranges::minmax(fractions);
  result.fraction_least = least;
  result.fraction_most = most;
  return result;
}

int64_t LeastBlocksEach(int64_t lanes, int64_t threads) {
  constexpr int64_t kLeast = 4;
  return std::max(kLeast, (lanes + threads - 1) / threads);
}

int64_t RowsToMeasure(double seconds, const Ceilings& ceilings, int64_t block_rows, int64_t threads,
                      int64_t least_each, int64_t rows_in_data) {
  const auto all = static_cast<double>(rows_in_data);
  const double fitting = std::min(seconds * std::min(ceilings.products, ceilings.reading), all);
  const double blocks = fitting / static_cast<double>(block_rows) / static_cast<double>(threads);
  const int64_t each = std::max(static_cast<int64_t>(blocks), least_each);
  // Divided, since the product could be beyond what can be counted.
  if (each >= rows_in_data / block_rows / threads) return rows_in_data;
  return each * threads * block_rows;
}

}  // namespace rhohat
