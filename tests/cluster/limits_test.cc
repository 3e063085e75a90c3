#include "cluster/limits.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "cluster/machine.h"
#include "tests/support/temporary_folder.h"

namespace rhohat {
namespace {

constexpr uint64_t kMebibyte = uint64_t{1} << 20;
constexpr uint64_t kHost = 4096 * kMebibyte;

using Variables = std::map<std::string, std::string>;

// No control groups, unless `groups` says where they are.
Limits LimitsOf(const Variables& variables, const ControlGroups& groups = {"/none", "/none"}) {
  return FindLimits({.groups = groups,
                     .environment =
                         [&](const char* name) {
                           const auto found = variables.find(name);
                           return found == variables.end() ? nullptr : found->second.c_str();
                         },
                     .host_memory_bytes = kHost});
}

// "value source, value source".
template <class Value>
std::string Text(const std::vector<Limit<Value>>& limits) {
  std::string text;
  for (const Limit<Value>& limit : limits) {
    text += (text.empty() ? "" : ", ") + std::to_string(limit.value) + " " + limit.source;
  }
  return text;
}

std::string Affinity() { return std::to_string(AffinityThreads()) + " the affinity mask"; }

std::string MemoryOf(const Variables& variables) { return Text(LimitsOf(variables).memory); }

TEST(LimitsTest, OutsideABatchSystemTheAffinityAloneLimits) {
  EXPECT_EQ(Text(LimitsOf({}).threads), Affinity());
  EXPECT_EQ(MemoryOf({}), "");
  EXPECT_EQ(LimitsOf({}).host_memory_bytes, kHost);
}

TEST(LimitsTest, SlurmsProcessorsAreThoseOfATaskElseThoseOfTheNode) {
  EXPECT_EQ(Text(LimitsOf({{"SLURM_CPUS_PER_TASK", "1"}}).threads),
            AffinityThreads() == 1 ? "1 SLURM_CPUS_PER_TASK, 1 the affinity mask"
                                   : "1 SLURM_CPUS_PER_TASK, " + Affinity());
  EXPECT_EQ(Text(LimitsOf({{"SLURM_CPUS_PER_TASK", "5000"}}).threads),
            Affinity() + ", 5000 SLURM_CPUS_PER_TASK");
  EXPECT_EQ(
      Text(LimitsOf({{"SLURM_CPUS_PER_TASK", "5000"}, {"SLURM_CPUS_ON_NODE", "6000"}}).threads),
      Affinity() + ", 5000 SLURM_CPUS_PER_TASK");
  EXPECT_EQ(Text(LimitsOf({{"SLURM_CPUS_ON_NODE", "6000"}}).threads),
            Affinity() + ", 6000 SLURM_CPUS_ON_NODE");
}

TEST(LimitsTest, SlurmsMemoryIsInMebibytes) {
  EXPECT_EQ(MemoryOf({{"SLURM_MEM_PER_NODE", "2000"}}), "2097152000 SLURM_MEM_PER_NODE");
  EXPECT_EQ(MemoryOf({{"SLURM_MEM_PER_NODE", "2G"}}), "2147483648 SLURM_MEM_PER_NODE");
}

TEST(LimitsTest, SlurmsMemoryPerProcessorIsForEachOneAllocated) {
  EXPECT_EQ(MemoryOf({{"SLURM_MEM_PER_CPU", "100"}, {"SLURM_CPUS_ON_NODE", "3"}}),
            "314572800 SLURM_MEM_PER_CPU × SLURM_CPUS_ON_NODE");
  EXPECT_EQ(MemoryOf({{"SLURM_MEM_PER_CPU", "100"}, {"SLURM_CPUS_PER_TASK", "2"}}),
            "209715200 SLURM_MEM_PER_CPU × SLURM_CPUS_PER_TASK");
  EXPECT_EQ(MemoryOf({{"SLURM_MEM_PER_CPU", "100"},
                      {"SLURM_CPUS_ON_NODE", "4"},
                      {"SLURM_CPUS_PER_TASK", "2"}}),
            "419430400 SLURM_MEM_PER_CPU × SLURM_CPUS_ON_NODE");
  EXPECT_EQ(MemoryOf({{"SLURM_MEM_PER_CPU", "100"}}), "") << "of how many is unknown";
  EXPECT_EQ(MemoryOf({{"SLURM_MEM_PER_CPU", "16777215T"}, {"SLURM_CPUS_ON_NODE", "9000000"}}), "");
}

TEST(LimitsTest, WhatIsNoNumberOrZeroLimitsNothing) {
  for (const char* value : {"", "0", "-1", "many", "3x", "1.5", "99999999999999999999"}) {
    EXPECT_EQ(
        Text(LimitsOf({{"SLURM_CPUS_PER_TASK", value}, {"SLURM_CPUS_ON_NODE", value}}).threads),
        Affinity())
        << value;
  }
  for (const char* value : {"", "0", "-1", "many", "3x"}) {
    EXPECT_EQ(MemoryOf({{"SLURM_MEM_PER_NODE", value}}), "") << value;
  }
}

TEST(LimitsTest, WarnsOfWhatIsNoNumber) {
  const Limits limits = LimitsOf({{"SLURM_MEM_PER_NODE", "abc"}, {"SLURM_CPUS_PER_TASK", "3x"}});
  ASSERT_EQ(limits.warnings.size(), 2U);
  EXPECT_EQ(limits.warnings[0],
            "SLURM_CPUS_PER_TASK: expected a number, found '3x': it limits nothing");
  EXPECT_EQ(limits.warnings[1],
            "SLURM_MEM_PER_NODE: expected a number, found 'abc': it limits nothing");
  const Variables sound = {{"SLURM_MEM_PER_NODE", "0"},
                           {"SLURM_MEM_PER_CPU", "100"},
                           {"SLURM_CPUS_PER_TASK", ""},
                           {"SLURM_CPUS_ON_NODE", "2"}};
  EXPECT_TRUE(LimitsOf(sound).warnings.empty());
}

TEST(LimitsTest, WhatIsMoreThanTheMachineHasIsNoLimitOfMemory) {
  EXPECT_EQ(MemoryOf({{"SLURM_MEM_PER_NODE", "4096"}}), "");
  EXPECT_EQ(MemoryOf({{"SLURM_MEM_PER_NODE", "4095"}}), "4293918720 SLURM_MEM_PER_NODE");
}

TEST(LimitsTest, TheTightestComesFirst) {
  const TemporaryFolder folder;
  std::ofstream(folder / "membership") << "0::/job\n";
  std::filesystem::create_directories(folder / "job");
  std::ofstream(folder / "job/cpu.max") << "50000 100000\n";
  std::ofstream(folder / "job/memory.max") << 1000 * kMebibyte << "\n";
  const ControlGroups groups{folder.path().string(), folder / "membership"};
  const Limits limits =
      LimitsOf({{"SLURM_CPUS_PER_TASK", "7000"}, {"SLURM_MEM_PER_NODE", "900"}}, groups);
  EXPECT_EQ(Text(limits.threads), "1 the CPU quota of the control group (0.5 processors), " +
                                      Affinity() + ", 7000 SLURM_CPUS_PER_TASK");
  EXPECT_EQ(Text(limits.memory), "943718400 SLURM_MEM_PER_NODE, 1048576000 the control group");
}

TEST(LimitsTest, AQuotaCountsInWholeProcessors) {
  const TemporaryFolder folder;
  std::ofstream(folder / "membership") << "0::/\n";
  const auto of_quota = [&](const std::string& text) {
    std::ofstream(folder / "cpu.max") << text;
    for (const Limit<int64_t>& limit :
         LimitsOf({}, {folder.path().string(), folder / "membership"}).threads) {
      if (limit.source.find("quota") != std::string::npos) return limit.value;
    }
    return int64_t{0};
  };
  EXPECT_EQ(of_quota("400000 100000"), 4);
  EXPECT_EQ(of_quota("390000 100000"), 3);
  EXPECT_EQ(of_quota("100 100000"), 1);
  EXPECT_EQ(of_quota("max 100000"), 0);
  EXPECT_EQ(of_quota("9000000000000000000 1"), 0) << "as good as none";
}

TEST(LimitsTest, OfThisProcessAreSound) {
  const Limits limits = FindLimits();
  ASSERT_FALSE(limits.threads.empty());
  EXPECT_GE(limits.threads.front().value, 1);
  EXPECT_LE(limits.threads.front().value, AffinityThreads());
  EXPECT_EQ(limits.host_memory_bytes, HostMemoryBytes());
}

}  // namespace
}  // namespace rhohat
