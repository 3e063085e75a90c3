#include "analyze/machine_rates.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "analyze/first_rows.h"
#include "analyze/random_rows.h"
#include "analyze/reading_rates.h"
#include "data/data_set.h"
#include "tests/support/vector_source.h"

namespace rhohat {
namespace {

TEST(Median, IsTheMiddleOrTheMeanOfTwo) {
  EXPECT_EQ(Median({3, 1, 2}), 2);
  EXPECT_EQ(Median({4, 1, 2, 3}), 2.5);
  EXPECT_EQ(Median({7}), 7);
}

TEST(BareProducts, RunForNetworksOfAnyDepthAndEverySchedule) {
  Executor executor(2);
  for (const NetworkShape& shape : {NetworkShape(7, {3}), NetworkShape(9, {5, 2}, true)}) {
    BareProducts<double> products(shape, 16, executor);
    for (const Schedule schedule : {Schedule::kTwoPass, Schedule::kFused}) {
      const EvaluationWork work = WorkOf(shape, schedule, true);
      EXPECT_GT(products.Measure(work.products, 1e-4).flops_per_second, 0);
    }
  }
}

TEST(MemoryStream, MovesBytes) {
  Executor executor(2);
  EXPECT_GT(MemoryStream(1 << 16, executor).BytesPerSecond(1e-4), 0);
}

TEST(ReadingRates, CountWholePasses) {
  Executor executor(2);
  VectorSource source = VectorSource::Random(1000, 10, 1);
  const SweepOptions options{.block_rows = 64, .lanes = 4};
  const ReadingRate rate = MeasureDecoding<float>(source, executor, options, 1e-4);
  EXPECT_GT(rate.rows_per_second, 0);
  EXPECT_EQ(rate.bytes_per_pass, 1000 * 10 * sizeof(double));
  EXPECT_GT(MeasureFirstReading<float>(source, executor, options, 1e-4), 0);
  EXPECT_GT(MeasureStoredBytes(source, executor, options, 1e-4), 0);
}

TEST(FirstRows, AreReadAndNoMore) {
  Executor executor(2);
  VectorSource source = VectorSource::Random(1000, 10, 1);
  FirstRows first(source, 300);
  source.before_fetch = [](RowRange range) { EXPECT_LE(range.end, 300); };
  const ReadingRate rate =
      MeasureDecoding<float>(first, executor, {.block_rows = 64, .lanes = 4}, 1e-4);
  EXPECT_EQ(rate.bytes_per_pass, 300 * 10 * sizeof(double));
}

TEST(RandomRows, AreInAFileThatGoesWithThem) {
  std::string path;
  {
    const RandomRowsFile file(3000, 700);
    path = file.path();
    const DataSet data({.files = {path}});
    EXPECT_EQ(data.rows(), 3000);
    EXPECT_EQ(data.columns(), 700);
    EXPECT_EQ(data.type().kind, ElementKind::kFloat32);
  }
  EXPECT_FALSE(std::filesystem::exists(std::filesystem::path(path).parent_path()));
}

}  // namespace
}  // namespace rhohat
