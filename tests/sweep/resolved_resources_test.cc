#include "sweep/resolved_resources.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rhohat/error.h"

namespace rhohat {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr uint64_t kGibibyte = uint64_t{1} << 30;

Limits InAJob() {
  return {.threads = {{1, "the CPU quota of the control group"}, {2, "the affinity mask"}},
          .memory = {{8 * kGibibyte, "SLURM_MEM_PER_NODE"}, {9 * kGibibyte, "the control group"}},
          .host_memory_bytes = 24 * kGibibyte};
}

Limits AtADesk() {
  return {.threads = {{2, "the affinity mask"}}, .memory = {}, .host_memory_bytes = 24 * kGibibyte};
}

TEST(ResolveTest, TakesTheTightestLimitsAndNamesTheOthers) {
  const ResolvedResources resolved = Resolve({}, InAJob());
  EXPECT_EQ(resolved.threads, 1);
  EXPECT_EQ(resolved.threads_source, "the CPU quota of the control group; the affinity mask: 2");
  EXPECT_EQ(resolved.memory_bytes, 7 * kGibibyte);
  EXPECT_EQ(resolved.memory_source,
            "7/8 of 8.00 GiB (SLURM_MEM_PER_NODE); the control group: 9.00 GiB");
  EXPECT_THAT(resolved.warnings, IsEmpty());
}

TEST(ResolveTest, WithoutALimitTakesHalfOfTheMachine) {
  const ResolvedResources resolved = Resolve({}, AtADesk());
  EXPECT_EQ(resolved.threads, 2);
  EXPECT_EQ(resolved.threads_source, "the affinity mask");
  EXPECT_EQ(resolved.memory_bytes, 12 * kGibibyte);
  EXPECT_EQ(resolved.memory_source, "half of this machine's 24.0 GiB");
}

TEST(ResolveTest, DoesWhatItIsToldAndWarnsWhereThatIsBeyondALimit) {
  const ResolvedResources within = Resolve({.memory_bytes = kGibibyte, .threads = 1}, InAJob());
  EXPECT_EQ(within.threads, 1);
  EXPECT_EQ(within.threads_source,
            "--threads; the CPU quota of the control group: 1; the affinity mask: 2");
  EXPECT_EQ(within.memory_bytes, kGibibyte);
  EXPECT_EQ(within.memory_source,
            "--memory; SLURM_MEM_PER_NODE: 8.00 GiB; the control group: 9.00 GiB");
  EXPECT_THAT(within.warnings, IsEmpty());

  const ResolvedResources beyond =
      Resolve({.memory_bytes = 10 * kGibibyte, .threads = 3}, InAJob());
  EXPECT_EQ(beyond.threads, 3);
  EXPECT_EQ(beyond.memory_bytes, 10 * kGibibyte);
  EXPECT_THAT(
      beyond.warnings,
      ElementsAre(
          "--threads 3: more than can run at a time: 1 (the CPU quota of the control group)",
          "--memory 10.0 GiB: more than this process may have: 8.00 GiB "
          "(SLURM_MEM_PER_NODE); it may be killed"));
}

TEST(ResolveTest, SaysNothingOfMemoryWithoutALimit) {
  const ResolvedResources resolved = Resolve({.memory_bytes = 30 * kGibibyte}, AtADesk());
  EXPECT_EQ(resolved.memory_source, "--memory");
  EXPECT_THAT(resolved.warnings, IsEmpty());
}

TEST(ResolveTest, RefusesThreadsThatCannotBe) {
  EXPECT_THROW(Resolve({.threads = -1}, AtADesk()), Error);
  EXPECT_THROW(Resolve({.threads = 5000}, AtADesk()), Error);
}

}  // namespace
}  // namespace rhohat
