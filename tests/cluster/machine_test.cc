#include "cluster/machine.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <cstring>
#include <thread>
#include <vector>

namespace rhohat {
namespace {

TEST(MachineTest, ThreadsFollowTheAffinity) {
  const int64_t all = AffinityThreads();
  EXPECT_GE(all, 1);
  // In a thread of its own, so that the rest of the tests keep their processors.
  std::thread([] {
    cpu_set_t now;
    ASSERT_EQ(sched_getaffinity(0, sizeof(now), &now), 0);
    int first = 0;
    while (!CPU_ISSET(first, &now)) ++first;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
    EXPECT_EQ(AffinityThreads(), 1);
  }).join();
  EXPECT_EQ(AffinityThreads(), all);
}

TEST(MachineTest, ThePeakOfMemoryGrowsWithWhatIsTouchedAndStays) {
  constexpr size_t kBytes = size_t{64} << 20;
  const uint64_t before = PeakResidentBytes();
  EXPECT_GT(before, 0U);
  {
    std::vector<char> block(kBytes);
    std::memset(block.data(), 1, kBytes);
    EXPECT_GE(PeakResidentBytes(), before + kBytes / 2) << static_cast<int>(block[kBytes / 2]);
  }
  EXPECT_GE(PeakResidentBytes(), before + kBytes / 2);
  EXPECT_GT(HostMemoryBytes(), PeakResidentBytes());
}

}  // namespace
}  // namespace rhohat
