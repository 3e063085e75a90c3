// What a run records of its choices is the same when it goes on.
#include "train/run_start.h"

#include <gtest/gtest.h>

#include <set>

#include "objective/compute_plan.h"
#include "tests/support/vector_source.h"
#include "train/memory_plan.h"

namespace rhohat {
namespace {

constexpr uint64_t kMebibyte = uint64_t{1} << 20;

TrainOptions Recorded(TrainOptions options, const RowSource& source) {
  options.compute = ResolveCompute(options.compute, {source.columns(), options.network});
  RecordChoices(PlanTrainingMemory(options, options.compute, source), options);
  return options;
}

TEST(RecordChoicesTest, ChoicesThatAreMadeAgainAreTheSame) {
  const VectorSource source(200'000, 100, {});
  TrainOptions options;
  options.network.hidden = {30};
  options.resources.threads = 2;
  std::set<int64_t> limits;
  for (uint64_t memory = 80; memory < 200; ++memory) {
    options.resources.memory_bytes = memory * kMebibyte;
    const TrainOptions once = Recorded(options, source);
    const TrainOptions twice = Recorded(once, source);
    EXPECT_EQ(twice.optimizer, once.optimizer) << memory;
    EXPECT_EQ(twice.compute, once.compute) << memory;
    limits.insert(once.optimizer.sample_limit);
  }
  EXPECT_GT(limits.size(), 10U) << "the memory should have had a say";
}

TEST(RecordChoicesTest, ALimitThatWasGivenStaysWhereTheMemoryAllowsIt) {
  const VectorSource source(200'000, 100, {});
  TrainOptions options;
  options.network.hidden = {30};
  options.resources = {.memory_bytes = uint64_t{1} << 40, .threads = 2};
  for (const int64_t limit : {int64_t{1}, int64_t{900}, int64_t{3000}, int64_t{1} << 40}) {
    options.optimizer.sample_limit = limit;
    EXPECT_EQ(Recorded(options, source).optimizer.sample_limit, limit);
  }
}

}  // namespace
}  // namespace rhohat
