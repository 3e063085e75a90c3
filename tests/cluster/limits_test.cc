#include "cluster/limits.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/temporary_folder.h"

namespace rhohat {
namespace {

TEST(LimitsTest, ThreadsFollowTheAffinity) {
  const int64_t all = AvailableThreads();
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
    EXPECT_EQ(AvailableThreads(), 1);
  }).join();
  EXPECT_EQ(AvailableThreads(), all);
}

TEST(LimitsTest, ResidentMemoryGrowsWithWhatIsTouchedAndThePeakStays) {
  constexpr size_t kBytes = size_t{64} << 20;
  const uint64_t before = ResidentBytes();
  EXPECT_GT(before, 0U);
  {
    std::vector<char> block(kBytes);
    std::memset(block.data(), 1, kBytes);
    EXPECT_GE(ResidentBytes(), before + kBytes / 2) << static_cast<int>(block[kBytes / 2]);
  }
  EXPECT_GE(PeakResidentBytes(), before + kBytes / 2);
  EXPECT_GT(HostMemoryBytes(), PeakResidentBytes());
}

void Write(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

TEST(CgroupTest, TheTightestLimitUpTheTreeCounts) {
  const TemporaryFolder folder;
  const std::filesystem::path root(folder / "cgroup");
  const auto limit = [&](const std::string& membership) {
    Write(folder / "membership", membership);
    return CgroupMemoryBytes(root.string(), folder / "membership");
  };
  constexpr uint64_t kNone = std::numeric_limits<uint64_t>::max();
  EXPECT_EQ(limit(""), kNone);
  EXPECT_EQ(limit("nonsense\n1:\n:\n"), kNone);
  EXPECT_EQ(limit("0::/job/step\n"), kNone);
  Write(root / "memory.max", "max\n");
  Write(root / "job/memory.max", "3000\n");
  Write(root / "job/step/memory.max", "4000\n");
  EXPECT_EQ(limit("0::/job/step\n"), 3000U);
  EXPECT_EQ(limit("0::/job\n"), 3000U);
  EXPECT_EQ(limit("0::/other\n"), kNone);
  EXPECT_EQ(limit("0::/\n"), kNone);
  Write(root / "memory/memory.limit_in_bytes", "9223372036854771712\n");
  Write(root / "memory/a/b/memory.limit_in_bytes", "2000\n");
  EXPECT_EQ(limit("5:cpu,memory:/a/b/c\n0::/job\n"), 2000U);
  EXPECT_EQ(limit("5:cpu:/a/b/c\n"), kNone);
  EXPECT_EQ(limit("5:memory:/hidden\n"), 9223372036854771712U);
}

}  // namespace
}  // namespace rhohat
