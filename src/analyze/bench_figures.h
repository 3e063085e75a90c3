// From measured rounds to figures: medians, ceilings, and which of them binds.
#pragma once

#include <vector>

#include "analyze/bench_evaluation.h"
#include "analyze/evaluation_work.h"
#include "analyze/machine_rates.h"
#include "rhohat/bench.h"

namespace rhohat {

// What the machine did at most, in one round, whatever the schedule.
struct MachineRates {
  double memory_bytes_per_second = 0;
  double read_bytes_per_second = 0;
  double decode_rows_per_second = 0;
  uint64_t decode_bytes = 0;  // read from storage for all rows, once
};

// One round of one schedule.
struct ScheduleRound {
  EvaluationTimes evaluation;
  ProductRate products;
  MachineRates machine;
};

// Times that a row was read from storage in one evaluation; where storage was not seen to be read,
// the schedule's passes.
double ReadsPerRow(const ScheduleRound& round, const EvaluationWork& work);

double ProductShare(const ScheduleRound& round, const EvaluationWork& work);

Ceilings CeilingsOf(const ScheduleRound& round, const EvaluationWork& work, int64_t element_bytes);

// Completes all figures of a schedule that was measured. `rounds` are one or more.
ScheduleMeasurement Summarise(const std::vector<ScheduleRound>& rounds, const EvaluationWork& work,
                              const NetworkShape& shape, int64_t element_bytes);

// Blocks that each thread gets at least: enough to keep it busy, and every lane has one.
int64_t LeastBlocksEach(int64_t lanes, int64_t threads);

// Rows to measure so that one evaluation takes about `seconds` where it is no faster than its
// products and its reading: whole blocks, as many for each thread, at least `least_each`; or all
// rows, where those are fewer.
int64_t RowsToMeasure(double seconds, const Ceilings& ceilings, int64_t block_rows, int64_t threads,
                      int64_t least_each, int64_t rows_in_data);

}  // namespace rhohat
