#include "analyze/batch_header.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace rhohat {
namespace {

constexpr double kMinute = 60;
constexpr double kHour = 3600;

// What is asked for leaves an eighth for what no plan has, such as the pages of files: the run
// takes so much of a job's memory, and a control group counts those too.
int64_t JobMebibytes(const TrainOptions& options, const MemoryPlan& memory) {
  constexpr uint64_t kMebibyte = uint64_t{1} << 20;
  // A plan leaves a margin of its budget free, 8 MiB or a 32nd of it.
  const uint64_t all = memory.total_bytes + memory.total_bytes / 31 + 8 * kMebibyte;
  const uint64_t budget = options.resources.memory_bytes > 0
                              ? options.resources.memory_bytes
                              : std::min(memory.budget_bytes, std::max(all, memory.least_bytes));
  return static_cast<int64_t>(budget / 7 * 8 / kMebibyte) + 1;
}

// Rounded up, so that a limit reads as one.
double RoundUp(double seconds) {
  const double step = seconds < kHour        ? 5 * kMinute
                      : seconds < 24 * kHour ? 30 * kMinute
                                             : 6 * kHour;
  return std::ceil(seconds / step) * step;
}

// "02:30:00", "3-06:00:00".
std::string SlurmTime(double seconds) {
  constexpr double kMost = 365 * 24 * kHour;
  const auto minutes = static_cast<int64_t>(std::min(seconds, kMost) / kMinute);
  constexpr int64_t kMinutesOfDay = 1440;
  const int64_t days = minutes / kMinutesOfDay;
  const std::string clock = fmt::format("{:02}:{:02}:00", minutes / 60 % 24, minutes % 60);
  return days > 0 ? fmt::format("{}-{}", days, clock) : clock;
}

std::string TimeLine(const TrainOptions& options, const std::optional<TimePlan>& time) {
  constexpr double kSpare = 5 * kMinute;  // for starting, and for stopping in time
  double seconds = 0;
  if (options.job.max_seconds > 0) {
    seconds = options.job.max_seconds + kSpare;
  } else if (time && std::isfinite(time->seconds_at_most)) {
    seconds = 1.25 * time->seconds_at_most + kSpare;
  } else {
    return "";
  }
  return fmt::format("#SBATCH --time={}\n", SlurmTime(RoundUp(seconds)));
}

}  // namespace

std::string BatchHeader(const TrainOptions& options, const MemoryPlan& memory,
                        const std::optional<TimePlan>& time) {
  return fmt::format(
      "#SBATCH --ntasks=1\n"
      "#SBATCH --cpus-per-task={}\n"
      "#SBATCH --mem={}M\n"
      "{}"
      "#SBATCH --signal=B:USR1@120\n"
      "#SBATCH --requeue\n"
      "#SBATCH --open-mode=append\n",
      memory.threads, JobMebibytes(options, memory), TimeLine(options, time));
}

}  // namespace rhohat
