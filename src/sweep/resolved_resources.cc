#include "sweep/resolved_resources.h"

#include <fmt/core.h>

#include <span>

#include "base/units.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

// "; SLURM_CPUS_PER_TASK: 4" for each.
template <class Value, class Write>
std::string AlsoFound(std::span<const Limit<Value>> limits, const Write& write) {
  std::string text;
  for (const Limit<Value>& limit : limits) {
    text += fmt::format("; {}: {}", limit.source, write(limit.value));
  }
  return text;
}

void ResolveThreads(int64_t asked, const Limits& limits, ResolvedResources& resolved) {
  const auto count = [](int64_t threads) { return fmt::format("{}", threads); };
  const std::span all(limits.threads);
  const Limit<int64_t>& tightest = all.front();
  if (asked == 0) {
    resolved.threads = tightest.value;
    resolved.threads_source = tightest.source + AlsoFound(all.subspan(1), count);
    return;
  }
  resolved.threads = asked;
  resolved.threads_source = "--threads" + AlsoFound(all, count);
  if (asked > tightest.value) {
    resolved.warnings.push_back(fmt::format("--threads {}: more than can run at a time: {} ({})",
                                            asked, tightest.value, tightest.source));
  }
}

void ResolveMemory(uint64_t asked, const Limits& limits, ResolvedResources& resolved) {
  const std::span all(limits.memory);
  if (asked > 0) {
    resolved.memory_bytes = asked;
    resolved.memory_source = "--memory" + AlsoFound(all, FormatBytes);
    if (!all.empty() && asked > all.front().value) {
      resolved.warnings.push_back(
          fmt::format("--memory {}: more than this process may have: {} ({}); it may be killed",
                      FormatBytes(asked), FormatBytes(all.front().value), all.front().source));
    }
    return;
  }
  if (all.empty()) {
    resolved.memory_bytes = limits.host_memory_bytes / 2;
    resolved.memory_source =
        fmt::format("half of this machine's {}", FormatBytes(limits.host_memory_bytes));
    return;
  }
  resolved.memory_bytes = all.front().value / 8 * 7;
  resolved.memory_source =
      fmt::format("7/8 of {} ({})", FormatBytes(all.front().value), all.front().source) +
      AlsoFound(all.subspan(1), FormatBytes);
}

}  // namespace

ResolvedResources Resolve(const ResourceOptions& options, const Limits& limits) {
  constexpr int64_t kMostThreads = 4096;
  if (options.threads < 0 || options.threads > kMostThreads) {
    throw Error(ErrorKind::kUsage, fmt::format("--threads: expected 1 to {}, or auto, found {}",
                                               kMostThreads, options.threads));
  }
  ResolvedResources resolved;
  resolved.warnings = limits.warnings;
  ResolveThreads(options.threads, limits, resolved);
  ResolveMemory(options.memory_bytes, limits, resolved);
  return resolved;
}

}  // namespace rhohat
