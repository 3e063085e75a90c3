#include "train/speed_verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhohat {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

IterationMetrics After(double seconds, double wait_seconds) {
  IterationMetrics last;
  last.seconds = seconds;
  last.wait_seconds = wait_seconds;
  return last;
}

TEST(ComputeFraction, IsTheTimeNotWaited) {
  EXPECT_DOUBLE_EQ(After(10, 2.5).compute_fraction(), 0.75);
  EXPECT_DOUBLE_EQ(After(10, 0).compute_fraction(), 1);
  EXPECT_DOUBLE_EQ(After(10, 10).compute_fraction(), 0);
}

TEST(ComputeFraction, IsAFractionWhateverTheClocksSay) {
  EXPECT_DOUBLE_EQ(After(0, 0).compute_fraction(), 1);
  EXPECT_DOUBLE_EQ(After(1, 1.01).compute_fraction(), 0);
}

TEST(SpeedVerdict, SaysHowLongARunWaitedAndWhereToLook) {
  const std::string line = SpeedVerdict(After(100, 63), {.file = "big.h5"});
  EXPECT_THAT(line, StartsWith("read-bound: 63 % of the time waiting for data; "));
  EXPECT_THAT(line, HasSubstr("'rhohat info big.h5'"));
  EXPECT_THAT(line, HasSubstr("--memory"));
  EXPECT_THAT(line, Not(HasSubstr("fused")));
}

TEST(SpeedVerdict, AdvisesOnlyWhatCanHelp) {
  const IterationMetrics waited = After(100, 50);
  EXPECT_THAT(SpeedVerdict(waited, {.reads_twice = true}), HasSubstr("--schedule fused"));
  EXPECT_THAT(SpeedVerdict(waited, {.keeps_all_rows = true}), Not(HasSubstr("--memory")));
}

TEST(SpeedVerdict, CallsARunComputeBoundThatHardlyWaited) {
  const std::string line = SpeedVerdict(After(100, 2), {.file = "big.h5", .reads_twice = true});
  EXPECT_THAT(line, StartsWith("compute-bound: 98 % of the time computing; "));
  EXPECT_THAT(line, HasSubstr("--threads"));
  EXPECT_THAT(line, Not(HasSubstr("--memory")));
}

TEST(SpeedVerdict, TurnsAtATenthOfTheTime) {
  EXPECT_THAT(SpeedVerdict(After(100, 9.9), {}), StartsWith("compute-bound"));
  EXPECT_THAT(SpeedVerdict(After(100, 10.1), {}), StartsWith("read-bound"));
}

}  // namespace
}  // namespace rhohat
