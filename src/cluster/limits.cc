#include "cluster/limits.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <system_error>

#include "base/units.h"
#include "cluster/machine.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

using Environment = std::function<const char*(const char*)>;

constexpr const char* kCpusPerTask = "SLURM_CPUS_PER_TASK";
constexpr const char* kCpusOnNode = "SLURM_CPUS_ON_NODE";
constexpr const char* kMemoryPerNode = "SLURM_MEM_PER_NODE";
constexpr const char* kMemoryPerCpu = "SLURM_MEM_PER_CPU";

// A number of processors, 1 or more.
std::optional<int64_t> CountIn(const Environment& environment, const char* name) {
  const char* const value = environment(name);
  if (value == nullptr) return std::nullopt;
  const std::string_view text(value);
  int64_t count = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), count);
  const bool whole = status == std::errc() && end == text.data() + text.size();
  return whole && count > 0 ? std::optional(count) : std::nullopt;
}

// Slurm counts in MiB. 0 stands for all that the node has.
std::optional<uint64_t> BytesIn(const Environment& environment, const char* name) {
  const char* const value = environment(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  std::string text(value);
  if (text.find_first_not_of("0123456789") == text.npos) text += 'M';
  try {
    const uint64_t bytes = ParseBytes(text);
    return bytes > 0 ? std::optional(bytes) : std::nullopt;
  } catch (const Error&) {  // no number at all
    return std::nullopt;
  }
}

void AddSlurmThreads(const Environment& environment, Limits& limits) {
  for (const char* name : {kCpusPerTask, kCpusOnNode}) {
    if (const std::optional<int64_t> count = CountIn(environment, name)) {
      limits.threads.push_back({*count, name});
      return;
    }
  }
}

void AddSlurmMemory(const Environment& environment, Limits& limits) {
  if (const std::optional<uint64_t> bytes = BytesIn(environment, kMemoryPerNode)) {
    limits.memory.push_back({*bytes, kMemoryPerNode});
  }
  const std::optional<uint64_t> each = BytesIn(environment, kMemoryPerCpu);
  if (!each) return;
  for (const char* name : {kCpusOnNode, kCpusPerTask}) {
    uint64_t bytes = 0;
    const std::optional<int64_t> count = CountIn(environment, name);
    if (!count || __builtin_mul_overflow(*each, *count, &bytes)) continue;
    limits.memory.push_back({bytes, fmt::format("{} × {}", kMemoryPerCpu, name)});
    return;
  }
}

void AddQuota(const ControlGroups& groups, Limits& limits) {
  const std::optional<double> processors = GroupProcessors(groups);
  constexpr double kMost = 1e6;
  if (!processors || *processors > kMost) return;
  const auto whole = std::max<int64_t>(1, static_cast<int64_t>(*processors));
  const bool rounded = static_cast<double>(whole) != *processors;
  limits.threads.push_back(
      {whole, fmt::format("the CPU quota of the control group{}",
                          rounded ? fmt::format(" ({:.2g} processors)", *processors) : "")});
}

// Empty is as good as unset; 0 has a meaning for memory.
void WarnOfUnreadable(const Environment& environment, Limits& limits) {
  for (const char* name : {kCpusPerTask, kCpusOnNode, kMemoryPerNode, kMemoryPerCpu}) {
    const char* const value = environment(name);
    if (value == nullptr || *value == '\0' || std::string_view(value) == "0") continue;
    const bool is_count = name == kCpusPerTask || name == kCpusOnNode;
    if (is_count ? CountIn(environment, name).has_value()
                 : BytesIn(environment, name).has_value()) {
      continue;
    }
    limits.warnings.push_back(
        fmt::format("{}: expected a number, found '{}': it limits nothing", name, value));
  }
}

template <class Value>
void SortTightestFirst(std::vector<Limit<Value>>& limits) {
  std::ranges::stable_sort(limits, {}, &Limit<Value>::value);
}

}  // namespace

LimitSources SystemLimitSources() {
  return {.groups = {},
          .environment = [](const char* name) { return std::getenv(name); },
          .host_memory_bytes = HostMemoryBytes()};
}

Limits FindLimits(const LimitSources& sources) {
  Limits limits{.host_memory_bytes = sources.host_memory_bytes};
  AddSlurmThreads(sources.environment, limits);
  AddQuota(sources.groups, limits);
  limits.threads.push_back({AffinityThreads(), "the affinity mask"});
  AddSlurmMemory(sources.environment, limits);
  if (const std::optional<uint64_t> bytes = GroupMemoryBytes(sources.groups)) {
    limits.memory.push_back({*bytes, "the control group"});
  }
  std::erase_if(limits.memory, [&](const Limit<uint64_t>& limit) {
    return limit.value >= sources.host_memory_bytes;
  });
  WarnOfUnreadable(sources.environment, limits);
  SortTightestFirst(limits.threads);
  SortTightestFirst(limits.memory);
  return limits;
}

}  // namespace rhohat
