#include "cluster/control_groups.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "tests/support/temporary_folder.h"

namespace rhohat {
namespace {

namespace fs = std::filesystem;

// A tree of groups made of files, and the process's place in it.
class ControlGroupsTest : public testing::Test {
 protected:
  void Write(const std::string& path, const std::string& text) const {
    const fs::path file = root_ / path;
    fs::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }

  ControlGroups In(const std::string& membership) const {
    std::ofstream(folder_ / "membership") << membership;
    return {.folder = root_.string(), .membership = folder_ / "membership"};
  }

  std::optional<uint64_t> MemoryIn(const std::string& membership) const {
    return GroupMemoryBytes(In(membership));
  }
  std::optional<double> ProcessorsIn(const std::string& membership) const {
    return GroupProcessors(In(membership));
  }

 private:
  TemporaryFolder folder_;
  fs::path root_ = fs::path(folder_ / "cgroup");
};

TEST_F(ControlGroupsTest, WithoutFilesNothingIsLimited) {
  for (const char* membership :
       {"", "nonsense\n1:\n:\n", "0::/job/step\n", "4:cpu,memory:/job\n"}) {
    EXPECT_EQ(MemoryIn(membership), std::nullopt);
    EXPECT_EQ(ProcessorsIn(membership), std::nullopt);
  }
}

TEST_F(ControlGroupsTest, OfMemoryTheTightestLimitUpTheTreeCounts) {
  Write("memory.max", "max\n");
  Write("job/memory.max", "3000\n");
  Write("job/step/memory.max", "4000\n");
  EXPECT_EQ(MemoryIn("0::/job/step\n"), 3000U);
  EXPECT_EQ(MemoryIn("0::/job\n"), 3000U);
  EXPECT_EQ(MemoryIn("0::/other\n"), std::nullopt);
  EXPECT_EQ(MemoryIn("0::/\n"), std::nullopt);
  Write("memory/memory.limit_in_bytes", "9223372036854771712\n");
  Write("memory/a/b/memory.limit_in_bytes", "2000\n");
  EXPECT_EQ(MemoryIn("5:cpu,memory:/a/b/c\n0::/job\n"), 2000U);
  EXPECT_EQ(MemoryIn("5:cpu:/a/b/c\n"), std::nullopt);
  EXPECT_EQ(MemoryIn("5:memory:/hidden\n"), 9223372036854771712U);
}

TEST_F(ControlGroupsTest, WhereProcessesAreSlowedDownIsALimitOfMemoryToo) {
  Write("job/memory.max", "3000\n");
  Write("job/memory.high", "2500\n");
  EXPECT_EQ(MemoryIn("0::/job\n"), 2500U);
  Write("job/memory.high", "max\n");
  EXPECT_EQ(MemoryIn("0::/job\n"), 3000U);
}

TEST_F(ControlGroupsTest, OfProcessorsTheTightestQuotaUpTheTreeCounts) {
  Write("job/cpu.max", "150000 100000\n");
  Write("job/step/cpu.max", "max 100000\n");
  EXPECT_EQ(ProcessorsIn("0::/job/step\n"), 1.5);
  Write("job/step/cpu.max", "50000 200000\n");
  EXPECT_EQ(ProcessorsIn("0::/job/step\n"), 0.25);
  EXPECT_EQ(ProcessorsIn("0::/\n"), std::nullopt);
}

TEST_F(ControlGroupsTest, OfVersion1TheQuotaIsInTwoFiles) {
  Write("cpu/cpu.cfs_quota_us", "-1\n");
  Write("cpu/cpu.cfs_period_us", "100000\n");
  Write("cpu/job/cpu.cfs_quota_us", "400000\n");
  EXPECT_EQ(ProcessorsIn("1:cpu:/job\n"), std::nullopt) << "a quota of an unknown time";
  Write("cpu/job/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(ProcessorsIn("1:cpu:/job/step\n"), 4);
  EXPECT_EQ(ProcessorsIn("1:cpuacct:/job/step\n"), std::nullopt);
}

TEST_F(ControlGroupsTest, HierarchiesAreFoundUnderTheNamesOfAllTheirControllers) {
  Write("cpu,cpuacct/job/cpu.cfs_quota_us", "100000\n");
  Write("cpu,cpuacct/job/cpu.cfs_period_us", "50000\n");
  EXPECT_EQ(ProcessorsIn("3:cpu,cpuacct:/job\n"), 2);
  Write("unified/job/memory.max", "7000\n");
  EXPECT_EQ(MemoryIn("3:cpu,cpuacct:/job\n0::/job\n"), 7000U);
}

}  // namespace
}  // namespace rhohat
