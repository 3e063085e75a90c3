#include "analyze/bench_figures.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace rhohat {
namespace {

const NetworkShape kShape(100, {10});

// 1000 rows/s; products for 2000, memory for 5000, reading for 8000 in one pass.
ScheduleRound Round(const EvaluationWork& work) {
  return {.evaluation = {.rows_per_second = 1000,
                         .seconds = 0.5,
                         .wait_seconds = 0.1,
                         .bytes_read = 400 * static_cast<double>(work.passes),
                         .processor_seconds = 0.8},
          .products = {.flops_per_second = 2000 * work.flops_per_row,
                       .flops_per_processor_second = 1000 * work.flops_per_row,
                       .processor_share = 1},
          .machine = {.memory_bytes_per_second = 5000 * BytesPerRow(work, 4),
                      .read_bytes_per_second = 1e6,
                      .decode_rows_per_second = 8000,
                      .decode_bytes = 400}};
}

TEST(BenchFigures, CeilingsAreRatesOfTheMachineOverTheWorkOfARow) {
  const EvaluationWork work = WorkOf(kShape, Schedule::kTwoPass, true);
  const Ceilings ceilings = CeilingsOf(Round(work), work, 4);
  EXPECT_DOUBLE_EQ(ceilings.products, 2000);
  EXPECT_DOUBLE_EQ(ceilings.memory, 5000);
  EXPECT_DOUBLE_EQ(ceilings.reading, 4000);  // each row is read twice
}

TEST(BenchFigures, RowsThatAreNotReadAgainDoNotWaitForReading) {
  const EvaluationWork work = WorkOf(kShape, Schedule::kCached, true, 1);
  ScheduleRound round = Round(work);
  round.evaluation.bytes_read = 0;
  EXPECT_EQ(CeilingsOf(round, work, 4).reading, std::numeric_limits<double>::infinity());
}

TEST(BenchFigures, WithoutCountedBytesEachPassReads) {
  const EvaluationWork work = WorkOf(kShape, Schedule::kTwoPass, true);
  ScheduleRound round = Round(work);
  round.machine.decode_bytes = 0;
  round.evaluation.bytes_read = 0;
  EXPECT_EQ(ReadsPerRow(round, work), 2);
}

TEST(BenchFigures, AreMediansAndTheFractionIsOfThem) {
  const EvaluationWork work = WorkOf(kShape, Schedule::kTwoPass, true);
  ScheduleRound slow = Round(work);
  slow.evaluation.rows_per_second = 500;
  ScheduleRound fast = Round(work);
  fast.evaluation.rows_per_second = 1800;
  const ScheduleMeasurement figures = Summarise({fast, slow, Round(work)}, work, kShape, 4);
  EXPECT_DOUBLE_EQ(figures.rows_per_second, 1000);
  EXPECT_EQ(std::string(figures.ceilings.binding()), "products");
  EXPECT_DOUBLE_EQ(figures.fraction, 0.5);
  EXPECT_DOUBLE_EQ(figures.fraction_least, 0.25);
  EXPECT_DOUBLE_EQ(figures.fraction_most, 0.9);
  EXPECT_DOUBLE_EQ(figures.nominal_flops_per_second(), 1000 * 12 * 100 * 10);
}

TEST(BenchFigures, CountTwoPassesWhateverWasDone) {
  const EvaluationWork work = WorkOf(kShape, Schedule::kTwoPass, false);
  const ScheduleMeasurement figures = Summarise({Round(work)}, work, kShape, 4);
  EXPECT_DOUBLE_EQ(figures.nominal_flops_per_row, 12 * 100 * 10);
  EXPECT_DOUBLE_EQ(figures.flops_per_row, 10 * 100 * 10);
}

TEST(BenchFigures, ProductsShareIsOfProcessorTime) {
  const EvaluationWork work = WorkOf(kShape, Schedule::kTwoPass, true);
  // 500 rows take the products 0.5 s of one processor; all of it took 0.8 s.
  EXPECT_DOUBLE_EQ(ProductShare(Round(work), work), 0.5 / 0.8);
}

TEST(RowsToMeasure, AreWholeBlocksForEachThreadThatFitTheTime) {
  const Ceilings ceilings{.products = 1e5, .reading = 1e6};
  EXPECT_EQ(RowsToMeasure(1, ceilings, 1000, 2, 4, 1 << 30), 100000);
  EXPECT_EQ(RowsToMeasure(1, ceilings, 1000, 3, 4, 1 << 30), 99000);
  EXPECT_EQ(RowsToMeasure(1, {.products = 1e5, .reading = 2e4}, 1000, 2, 4, 1 << 30), 20000);
}

TEST(RowsToMeasure, AreAtLeastSomeBlocksAThreadAndAtMostAll) {
  const Ceilings ceilings{.products = 1e5, .reading = 1e6};
  EXPECT_EQ(RowsToMeasure(1e-9, ceilings, 1000, 2, 4, 1 << 30), 8000);
  EXPECT_EQ(RowsToMeasure(1e9, ceilings, 1000, 2, 4, 12345), 12345);
  EXPECT_EQ(RowsToMeasure(1e-9, ceilings, int64_t{1} << 40, 2, 4, 12345), 12345);
}

TEST(RowsToMeasure, LeaveNoLaneWithoutABlock) {
  EXPECT_EQ(LeastBlocksEach(16, 2), 8);
  EXPECT_EQ(LeastBlocksEach(16, 3), 6);
  EXPECT_EQ(LeastBlocksEach(4, 64), 4);
}

}  // namespace
}  // namespace rhohat
