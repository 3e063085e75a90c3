// From options to a finished run: what is asked for is checked, planned and announced, then run.
#include "rhohat/train.h"

#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/units.h"
#include "data/data_set.h"
#include "math/kernels.h"
#include "network/parameters.h"
#include "objective/compute_plan.h"
#include "rhohat/error.h"
#include "train/data_identity.h"
#include "train/memory_plan.h"
#include "train/reporter.h"
#include "train/resume.h"
#include "train/run_folder.h"
#include "train/time_limit.h"
#include "train/training_run.h"

namespace rhohat {
namespace {

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

// The log's own disk may be what failed, and then the first error is the one to tell.
void LogQuietly(RunFolder& folder, const std::string& text) {
  try {
    folder.Log(LogLevel::kError, text);
  } catch (const Error&) {
    return;
  }
}

// The run's folder, and what an unfinished run has left there to go on with.
struct Beginning {
  RunFolder folder;
  std::unique_ptr<StateReader> state;  // null where there is none
  std::vector<std::string> notes;
  std::vector<std::string> warnings;
};

// `options` are resolved.
Beginning Begin(const TrainOptions& options, const DataStamp& data) {
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

// What the memory allows is part of the configuration from here on.
void RecordChoices(const MemoryPlan& plan, TrainOptions& options) {
  options.compute.schedule = plan.schedule;
  if (std::ranges::count(options.optimizer.methods, OptimizerKind::kProgressive) > 0) {
    options.optimizer.sample_limit = std::max<int64_t>(1, plan.sample_rows);  // 1 allows none
  }
  if (plan.mix_rows > 0) options.optimizer.mix_rows = plan.mix_rows;
}

}  // namespace

TrainResult Train(const TrainOptions& options, const RunControl& control) {
  TimeLimit limit(options.job.max_seconds, control);
  options.Validate();
  if (options.run_directory.empty()) {
    throw Error(ErrorKind::kUsage, "--run: missing: give a folder for the results");
  }
  DataSet data(options.data);
  TrainOptions resolved = options;
  if (options.resume == "auto") AdoptChoices(options.run_directory, resolved);
  resolved.compute =
      ResolveCompute(resolved.compute, NetworkShape(data.columns(), options.network));
  const MemoryPlan plan = PlanTrainingMemory(resolved, resolved.compute, data);
  RecordChoices(plan, resolved);
  if (options.resume == "auto") {
    if (auto finished = FindFinishedRun(options.run_directory, resolved)) {
      if (control.observer != nullptr) control.observer->OnNote("the run is finished already");
      return *std::move(finished);
    }
    ForgetEmptyRun(options.run_directory);
  }
  const DataStamp stamp = StampOf(data);
  Beginning beginning = Begin(resolved, stamp);
  RunFolder& folder = beginning.folder;
  Reporter reporter(folder, control.observer);
  for (const std::string& line : beginning.warnings) reporter.Warn(line);
  for (const std::string& line : beginning.notes) reporter.Note(line);
  NoteStart(resolved, plan, data, reporter);
  try {
    const auto run = resolved.compute.precision == Precision::kFloat64 ? &RunTraining<double>
                                                                       : &RunTraining<float>;
    return run(resolved, plan, data, stamp, folder, std::move(beginning.state), limit);
  } catch (const Stopped&) {
    throw;
  } catch (const std::exception& fault) {
    LogQuietly(folder, fault.what());
    folder.WithdrawIfEmpty();
    throw;
  }
}

}  // namespace rhohat
