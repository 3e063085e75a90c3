#include "analyze/bench_run.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "analyze/reading_rates.h"
#include "base/units.h"
#include "math/blas.h"
#include "math/kernels.h"
#include "objective/code_cache.h"
#include "objective/compute_plan.h"
#include "objective/objective.h"
#include "rhohat/error.h"
#include "sweep/kept_blocks.h"
#include "sweep/memory_planner.h"
#include "sweep/resolved_resources.h"

namespace rhohat {
namespace {

constexpr double kRounds = 5;  // that the time is meant for
constexpr int64_t kLeastRounds = 3;
// An evaluation takes longer than what ceilings are measured in: what it does once, whatever the
// rows, should weigh as little as on a whole data set.
constexpr double kEvaluationSlices = 2;

// Rows of the products that an evaluation does one after another.
int64_t ProductRows(const ComputeOptions& compute, const NetworkShape& shape) {
  return std::min(compute.block_rows, TileRows(shape));
}

// Each of three arrays: beyond the caches of any machine, within a part of the budget.
uint64_t ArrayBytes(const ResolvedResources& resources) {
  constexpr uint64_t kMebibyte = uint64_t{1} << 20;
  const uint64_t wanted =
      std::max<uint64_t>(64, 32 * static_cast<uint64_t>(resources.threads)) * kMebibyte;
  return std::max(kMebibyte, std::min(wanted, resources.memory_bytes / 16));
}

bool HasFused(const std::vector<BenchCandidate>& candidates) {
  return std::ranges::any_of(candidates, [](const BenchCandidate& candidate) {
    return candidate.compute.schedule == Schedule::kFused;
  });
}

// What a training run takes for an evaluation, and what is measured beside it. `spare_bytes`: what
// is left then.
template <class T>
MemoryPlan PlanMemory(const BenchOptions& options, const ComputeOptions& compute,
                      const NetworkShape& shape, bool fused, const RowSource& source,
                      uint64_t& spare_bytes) {
  const ResolvedResources resources = Resolve(options.resources);
  const auto threads = static_cast<uint64_t>(resources.threads);
  MemoryPlanner planner(source, resources, compute.block_rows);
  planner.AddDecoding(sizeof(T));
  planner.ReserveForEachThread(kProductBufferBytes);
  const auto add_each = [&](const char* name, uint64_t count, const char* of, size_t bytes) {
    planner.Add(name, count * bytes, fmt::format("{} {} × {}", count, of, FormatBytes(bytes)));
  };
  add_each("lanes", static_cast<uint64_t>(compute.lanes), "lanes",
           Objective<T>::LaneBytes(shape, fused));
  add_each("workspace", threads, "threads",
           Objective<T>::WorkspaceBytes(shape, options.objective, compute.block_rows, fused));
  planner.Add("parameters", BenchEvaluations<T>::MemoryBytes(shape), "and their gradient");
  add_each("products", threads, "threads",
           BareProducts<T>::MemoryBytes(shape, ProductRows(compute, shape)));
  const uint64_t array_bytes = ArrayBytes(resources);
  planner.Add("memory stream", MemoryStream::MemoryBytes(array_bytes),
              fmt::format("3 arrays of {}", FormatBytes(array_bytes)));
  planner.Finish();
  MemoryPlan plan = planner.AddCache(Sweep<T>::KeptRowBytes(source.type(), source.columns(), 0));
  spare_bytes = planner.SpareBytes();
  return plan;
}

}  // namespace

double SliceOf(double seconds, size_t schedules, int64_t threads) {
  constexpr double kRoundsShare = 0.9;  // the rest is for finding out how many rows fit
  constexpr double kMost = 1;
  // Memory, stored bytes and decoding; products and two evaluations of each schedule; and one
  // thread, which takes as many times longer.
  const double each = 1 + 2 * kEvaluationSlices;
  double slices = 3 + each * static_cast<double>(schedules);
  if (threads > 1) slices += 2 * kEvaluationSlices * static_cast<double>(threads);
  return std::min(kRoundsShare * seconds / kRounds / slices, kMost);
}

template <class T>
BenchRun<T>::BenchRun(const BenchOptions& options, const NetworkShape& shape,
                      std::vector<BenchCandidate> candidates, RowSource& source,
                      const RunControl& control)
    : options_(options),
      shape_(shape),
      candidates_(std::move(candidates)),
      rows_(source, source.rows()),
      rows_in_data_(source.rows()),
      control_(control),
      plan_(PlanMemory<T>(options, compute(), shape, HasFused(candidates_), source, spare_bytes_)),
      executor_(plan_.threads),
      products_(shape, ProductRows(compute(), shape), executor_),
      memory_(ArrayBytes(Resolve(options.resources)), executor_),
      evaluations_(options, shape, rows_, SweepOf()) {}

template <class T>
SweepOptions BenchRun<T>::SweepOf() const {
  return {.block_rows = compute().block_rows,
          .lanes = compute().lanes,
          .blocks_ahead = plan_.blocks_ahead,
          .stop = control_.stop};
}

template <class T>
void BenchRun<T>::CheckStop() const {
  if (control_.stop_requested()) throw Stopped("stopped on request");
}

template <class T>
void BenchRun<T>::Note(const std::string& line) const {
  if (control_.observer != nullptr) control_.observer->OnNote(line);
}

// As many of the first as one evaluation gets through in a slice.
template <class T>
void BenchRun<T>::ChooseRows(BenchResult& result) {
  first_decode_ = MeasureFirstReading<T>(rows_, executor_, SweepOf(), slice_);
  double flops_per_row = 0;
  double passes = 0;
  for (const BenchCandidate& candidate : candidates_) {
    flops_per_row = std::max(flops_per_row, candidate.work.flops_per_row);
    passes = std::max(passes, static_cast<double>(candidate.work.passes));
  }
  Ceilings ceilings;
  ceilings.products =
      products_.Measure(candidates_.front().work.products, slice_).flops_per_second / flops_per_row;
  ceilings.reading = first_decode_ / passes;
  result.rows =
      RowsToMeasure(kEvaluationSlices * slice_, ceilings, compute().block_rows, plan_.threads,
                    LeastBlocksEach(compute().lanes, plan_.threads), rows_in_data_);
  rows_.set_rows(result.rows);
}

// What is left of the budget keeps rows, and then codes: of the rows measured the same share as of
// all rows.
template <class T>
void BenchRun<T>::PlanCaches() {
  const auto all = static_cast<double>(rows_in_data_);
  const uint64_t for_all_rows = KeptBlocks::BytesForAll(
      {.rows = rows_.rows(),
       .block_rows = compute().block_rows,
       .parcel_rows = rows_.ParcelRows(),
       .row_bytes = Sweep<T>::KeptRowBytes(rows_.type(), rows_.columns(), 0)});
  const double kept_rows = static_cast<double>(plan_.kept_rows) / all;
  cache_bytes_ = plan_.kept_rows == rows_in_data_
                     ? for_all_rows
                     : static_cast<uint64_t>(kept_rows * static_cast<double>(for_all_rows));

  const int64_t units = shape_.encoder_units();
  const int64_t blocks = (rows_.rows() + compute().block_rows - 1) / compute().block_rows;
  const double codes = all * static_cast<double>(units) * sizeof(T);
  const double share = std::min(1.0, static_cast<double>(spare_bytes_) / codes);
  const auto kept = static_cast<uint64_t>(share * static_cast<double>(blocks));
  code_bytes_ = kept * CodeCache<T>::BlockBytes(compute().block_rows, units);
  for (BenchCandidate& candidate : candidates_) {
    if (candidate.compute.schedule != Schedule::kCached) continue;
    candidate.work = WorkOf(shape_, Schedule::kCached, PassesOf(options_.objective) == 2,
                            static_cast<double>(kept) / static_cast<double>(blocks));
  }
}

// Only kCached keeps anything: the others are measured as on data that memory cannot keep.
template <class T>
EvaluationTimes BenchRun<T>::Evaluate(const BenchCandidate& candidate, Executor& executor) {
  const bool keeps = candidate.compute.schedule == Schedule::kCached;
  return evaluations_.Measure(
      {.schedule = candidate.compute.schedule, .code_bytes = keeps ? code_bytes_ : 0},
      keeps ? cache_bytes_ : 0, executor, kEvaluationSlices * slice_);
}

template <class T>
void BenchRun<T>::MeasureRound() {
  CheckStop();
  MachineRates machine;
  machine.memory_bytes_per_second = memory_.BytesPerSecond(slice_);
  machine.read_bytes_per_second = MeasureStoredBytes(rows_, executor_, SweepOf(), slice_);
  const ReadingRate decoding = MeasureDecoding<T>(rows_, executor_, SweepOf(), slice_);
  machine.decode_rows_per_second = decoding.rows_per_second;
  machine.decode_bytes = decoding.bytes_per_pass;
  machine_.push_back(machine);
  for (BenchCandidate& candidate : candidates_) {
    CheckStop();
    const ProductRate products = products_.Measure(candidate.work.products, slice_);
    processor_shares_.push_back(products.processor_share);
    const EvaluationTimes evaluation = Evaluate(candidate, executor_);
    candidate.rounds.push_back(
        {.evaluation = evaluation, .products = products, .machine = machine});
  }
  if (executor_.threads() == 1) return;
  // Gone before the next round: the fewest threads of all executors hold for every one of them.
  Executor one(1);
  const EvaluationTimes alone = Evaluate(candidates_.front(), one);
  against_one_.push_back(candidates_.front().rounds.back().evaluation.rows_per_second /
                         alone.rows_per_second);
}

template <class T>
void BenchRun<T>::Run(BenchResult& result) {
  const double start = SecondsNow();
  slice_ = SliceOf(options_.seconds, candidates_.size(), plan_.threads);
  ChooseRows(result);
  PlanCaches();
  double round_seconds = 0;
  do {
    const double round_start = SecondsNow();
    MeasureRound();
    ++result.rounds;
    Note(fmt::format("round {}: {}, {:.3g} rows/s", result.rounds,
                     result.schedules[candidates_.front().measurement].schedule,
                     candidates_.front().rounds.back().evaluation.rows_per_second));
    round_seconds = SecondsNow() - round_start;
  } while (SecondsNow() - start + round_seconds <
           options_.seconds * (result.rounds < kLeastRounds ? 2 : 1));
  result.seconds = SecondsNow() - start;
  Fill(result);
}

// From rounds to figures.
template <class T>
void BenchRun<T>::Fill(BenchResult& result) const {
  const auto median = [&](double MachineRates::*rate) {
    std::vector<double> values;
    for (const MachineRates& machine : machine_) values.push_back(machine.*rate);
    return Median(std::move(values));
  };
  result.rows_in_data = rows_in_data_;
  result.threads = plan_.threads;
  result.lanes = compute().lanes;
  result.block_rows = compute().block_rows;
  result.kernels = BestKernels<T>().name;
  result.memory_bytes_per_second = median(&MachineRates::memory_bytes_per_second);
  result.read_bytes_per_second = median(&MachineRates::read_bytes_per_second);
  result.decode_rows_per_second = median(&MachineRates::decode_rows_per_second);
  result.first_decode_rows_per_second = first_decode_;
  for (const BenchCandidate& candidate : candidates_) {
    ScheduleMeasurement& measurement = result.schedules[candidate.measurement];
    const std::string name = measurement.schedule;
    measurement = Summarise(candidate.rounds, candidate.work, shape_, sizeof(T));
    measurement.schedule = name;
  }
  if (!against_one_.empty()) result.threads_against_one = Median(against_one_);
  Remark(result);
}

template <class T>
void BenchRun<T>::Remark(BenchResult& result) const {
  if (result.rows < rows_in_data_) {
    result.remarks.push_back(fmt::format(
        "the first {} rows were measured, which fit the time: --seconds takes more of them",
        result.rows));
  }
  constexpr double kAlone = 0.9;
  const double share = Median(processor_shares_);
  if (share < kAlone) {
    result.remarks.push_back(fmt::format(
        "other programs ran: the products had a processor {:.0f} % of the time, so that figures "
        "scatter; of the fractions, the products' share of processor time suffers least",
        100 * share));
  }
  const ScheduleMeasurement& first = result.schedules[candidates_.front().measurement];
  const double unread = first_decode_ / static_cast<double>(candidates_.front().work.passes);
  if (unread < first.ceilings.smallest()) {
    result.remarks.push_back(fmt::format(
        "rows came at {:.3g} rows/s when they were read first, and at {:.3g} from then on, out of "
        "memory: where the data does not fit in it, {} gets through {:.3g} rows/s at most",
        first_decode_, result.decode_rows_per_second, first.schedule, unread));
  }
}

template class BenchRun<float>;
template class BenchRun<double>;

}  // namespace rhohat
