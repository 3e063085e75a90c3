#include "train/run_start.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/folder_lock.h"
#include "base/units.h"
#include "math/kernels.h"
#include "network/parameters.h"
#include "rhohat/error.h"
#include "train/resume.h"

namespace rhohat {
void RecordChoices(const MemoryPlan& plan, TrainOptions& options) {
  options.compute.schedule = plan.schedule;
  if (std::ranges::count(options.optimizer.methods, OptimizerKind::kProgressive) > 0) {
    options.optimizer.sample_limit = std::max<int64_t>(1, plan.sample_rows);  // 1 allows none
  }
  if (plan.mix_rows > 0) options.optimizer.mix_rows = plan.mix_rows;
}

RunStart StartRun(const TrainOptions& options, const DataStamp& data) {
  const std::string& path = options.run_directory;
  if (options.resume != "auto" || !HasUnfinishedRun(path)) {
    return {.folder = RunFolder::Create(path, options), .state = {}, .notes = {}, .warnings = {}};
  }
  FolderLock lock(path);
  RemoveLeftovers(path);
  std::vector<std::string> warnings;
  std::optional<ResumePoint> resume = FindResumePoint(
      path, options, data, [&](const std::string& line) { warnings.push_back(line); });
  std::string note = resume ? fmt::format("goes on from {}", resume->path)
                            : "begins anew: the run here left no checkpoint";
  return {.folder = RunFolder::Reopen(path, std::move(lock), options.job,
                                      resume ? resume->metrics_bytes : 0),
          .state = resume ? std::move(resume->state) : nullptr,
          .notes = {std::move(note)},
          .warnings = std::move(warnings)};
}

void NoteStart(const TrainOptions& options, const MemoryPlan& plan, const DataSet& data,
               Reporter reporter) {
  const ComputeOptions& compute = options.compute;
  const Hdf5DataSetInfo& first = data.files().front();
  reporter.Note(fmt::format(
      "data: {} rows × {} columns of {} from {}{}", data.rows(), data.columns(),
      ElementName(data.type()), first.where(),
      data.files().size() > 1 ? fmt::format(" and {} more files", data.files().size() - 1) : ""));
  const NetworkShape shape(data.columns(), options.network);
  reporter.Note(fmt::format("network: {}{}, {} parameters", shape.Text(),
                            shape.tied ? ", tied" : "", shape.parameters()));
  reporter.Note(fmt::format("threads: {}, {}", plan.threads, plan.threads_source));
  reporter.Note(fmt::format("memory: {} planned of {}, {}", FormatBytes(plan.total_bytes),
                            FormatBytes(plan.budget_bytes), plan.budget_source));
  for (const std::string& line : plan.warnings) reporter.Warn(line);
  reporter.Note(fmt::format("computation: {} kernels, {} lanes, blocks of {} rows",
                            BestKernels<float>().name, compute.lanes, compute.block_rows));
  reporter.Note(fmt::format("schedule: {}: {}; {} of {} rows stay in memory",
                            ScheduleName(plan.schedule), plan.schedule_reason, plan.kept_rows,
                            plan.rows));
}

void LogQuietly(RunFolder& folder, const std::string& text) {
  try {
    folder.Log(LogLevel::kError, text);
  } catch (const Error&) {
    return;
  }
}

}  // namespace rhohat
