#include "cluster/control_groups.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace rhohat {
namespace {

namespace fs = std::filesystem;

template <class Value>
void Tighten(std::optional<Value>& tightest, const std::optional<Value>& limit) {
  if (limit && (!tightest || *limit < *tightest)) tightest = limit;
}

// Nothing where there is no such file, or it says "max".
std::optional<uint64_t> ReadBytes(const fs::path& path) {
  std::ifstream file(path);
  uint64_t bytes = 0;
  return file >> bytes ? std::optional(bytes) : std::nullopt;
}

// Of `quota` microseconds in each `period`; version 1 says −1 for no quota.
std::optional<double> Processors(int64_t quota, int64_t period) {
  if (quota <= 0 || period <= 0) return std::nullopt;
  return static_cast<double>(quota) / static_cast<double>(period);
}

// "100000 100000", or "max 100000".
std::optional<double> ReadQuota2(const fs::path& group) {
  std::ifstream file(group / "cpu.max");
  int64_t quota = 0;
  int64_t period = 0;
  return file >> quota >> period ? Processors(quota, period) : std::nullopt;
}

std::optional<double> ReadQuota1(const fs::path& group) {
  std::ifstream quota_file(group / "cpu.cfs_quota_us");
  std::ifstream period_file(group / "cpu.cfs_period_us");
  int64_t quota = 0;
  int64_t period = 0;
  const bool both = quota_file >> quota && period_file >> period;
  return both ? Processors(quota, period) : std::nullopt;
}

std::optional<uint64_t> ReadMemory2(const fs::path& group) {
  std::optional<uint64_t> bytes = ReadBytes(group / "memory.max");
  Tighten(bytes, ReadBytes(group / "memory.high"));
  return bytes;
}

std::optional<uint64_t> ReadMemory1(const fs::path& group) {
  return ReadBytes(group / "memory.limit_in_bytes");
}

template <class Value>
using ReadLimit = std::optional<Value> (*)(const fs::path& group);

// Of the group at `path`, which begins at `root`, and of those above it. Inside a container a group
// may not be visible under its name, but what is mounted as the root is then its container's.
template <class Value>
std::optional<Value> TightestUpwards(const fs::path& root, fs::path path, ReadLimit<Value> read) {
  std::optional<Value> tightest = read(root);
  for (path = path.relative_path(); !path.empty(); path = path.parent_path()) {
    Tighten(tightest, read(root / path));
  }
  return tightest;
}

// `read1` is of a hierarchy of version 1 with `controller`, `read2` of that of version 2, which
// some systems mount beside those of version 1.
template <class Value>
std::optional<Value> Tightest(const ControlGroups& groups, std::string_view controller,
                              ReadLimit<Value> read1, ReadLimit<Value> read2) {
  const fs::path root(groups.folder);
  std::optional<Value> tightest;
  std::ifstream lines(groups.membership);
  // number:controllers:path; version 2 names no controllers.
  for (std::string line; std::getline(lines, line);) {
    const size_t controllers = line.find(':') + 1;
    const size_t path = line.find(':', controllers) + 1;
    if (controllers == 0 || path == 0) continue;
    const std::string names = line.substr(controllers, path - 1 - controllers);
    const fs::path group = line.substr(path);
    if (names.empty()) {
      Tighten(tightest, TightestUpwards(root, group, read2));
      Tighten(tightest, TightestUpwards(root / "unified", group, read2));
    } else if (("," + names + ",").find("," + std::string(controller) + ",") != names.npos) {
      // Mounted under all of its controllers' names, and mostly linked under each.
      Tighten(tightest, TightestUpwards(root / names, group, read1));
      Tighten(tightest, TightestUpwards(root / controller, group, read1));
    }
  }
  return tightest;
}

}  // namespace

std::optional<uint64_t> GroupMemoryBytes(const ControlGroups& groups) {
  return Tightest<uint64_t>(groups, "memory", ReadMemory1, ReadMemory2);
}

std::optional<double> GroupProcessors(const ControlGroups& groups) {
  return Tightest<double>(groups, "cpu", ReadQuota1, ReadQuota2);
}

}  // namespace rhohat
