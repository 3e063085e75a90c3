#include "cluster/limits.h"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <thread>

namespace rhohat {
namespace {

struct ProcessSizes {
  uint64_t reserved_bytes = 0;
  uint64_t resident_bytes = 0;
};

ProcessSizes ReadProcessSizes() {
  std::ifstream statm("/proc/self/statm");
  uint64_t total_pages = 0;
  uint64_t resident_pages = 0;
  statm >> total_pages >> resident_pages;
  const auto page = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  return {total_pages * page, resident_pages * page};
}

constexpr uint64_t kNoLimit = std::numeric_limits<uint64_t>::max();

// kNoLimit where there is no such file, or it says "max".
uint64_t ReadLimit(const std::filesystem::path& path) {
  std::ifstream file(path);
  uint64_t bytes = 0;
  return file >> bytes ? bytes : kNoLimit;
}

// Of the group at `path`, which begins at `root`, and of those above it. Inside a container a group
// may not be visible under its name, but what is mounted as the root is then its container's.
uint64_t TightestLimit(const std::filesystem::path& root, std::filesystem::path path,
                       const char* name) {
  uint64_t tightest = ReadLimit(root / name);
  for (path = path.relative_path(); !path.empty(); path = path.parent_path()) {
    tightest = std::min(tightest, ReadLimit(root / path / name));
  }
  return tightest;
}

}  // namespace

uint64_t CgroupMemoryBytes(const std::string& folder, const std::string& membership) {
  const std::filesystem::path root(folder);
  uint64_t tightest = kNoLimit;
  std::ifstream groups(membership);
  // number:controllers:path; version 2 names no controllers.
  for (std::string line; std::getline(groups, line);) {
    const size_t controllers = line.find(':') + 1;
    const size_t path = line.find(':', controllers) + 1;
    if (controllers == 0 || path == 0) continue;
    const std::string names = "," + line.substr(controllers, path - 1 - controllers) + ",";
    if (names == ",,") {
      tightest = std::min(tightest, TightestLimit(root, line.substr(path), "memory.max"));
    } else if (names.find(",memory,") != std::string::npos) {
      tightest = std::min(
          tightest, TightestLimit(root / "memory", line.substr(path), "memory.limit_in_bytes"));
    }
  }
  return tightest;
}

int64_t AvailableThreads() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof(set), &set) == 0) return std::max(1, CPU_COUNT(&set));
  // More processors than the set has bits for.
  return std::max(1U, std::thread::hardware_concurrency());
}

uint64_t HostMemoryBytes() {
  return static_cast<uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
         static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

uint64_t AddressSpaceLeft() {
  rlimit limit = {};
  if (::getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
    return std::numeric_limits<uint64_t>::max();
  }
  const uint64_t used = ReadProcessSizes().reserved_bytes;
  return limit.rlim_cur > used ? limit.rlim_cur - used : 0;
}

uint64_t ResidentBytes() { return ReadProcessSizes().resident_bytes; }

uint64_t PeakResidentBytes() {
  rusage usage = {};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<uint64_t>(usage.ru_maxrss) * 1024;
}

}  // namespace rhohat
