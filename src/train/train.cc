// From options to a finished run: what is asked for is checked, planned and announced, then run.
#include "rhohat/train.h"

#include <fmt/core.h>

#include <algorithm>
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
#include "train/stages.h"
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
  std::optional<ResumePoint> resume;
  std::vector<std::string> warnings;
  bool anew = false;  // there is a run, and nothing of it to go on with
};

// `options` are resolved.
Beginning Begin(const TrainOptions& options, const std::vector<Stage>& stages,
                const DataIdentity& data) {
  const std::string& path = options.run_directory;
  if (options.resume != "auto" || !HasUnfinishedRun(path)) {
    return {.folder = RunFolder::Create(path, options), .resume = {}, .warnings = {}};
  }
  FolderLock lock(path);
  RemoveLeftovers(path);
  std::vector<std::string> warnings;
  std::optional<ResumePoint> resume = FindResumePoint(
      path, options, stages, data, [&](const std::string& line) { warnings.push_back(line); });
  RewindMetrics(path, stages, resume ? resume->stages_done : 0);
  const bool anew = !resume;
  return {RunFolder::Reopen(path, std::move(lock)), std::move(resume), std::move(warnings), anew};
}

}  // namespace

TrainResult Train(const TrainOptions& options, const RunControl& control) {
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
  resolved.compute.schedule = plan.schedule;
  // What the memory allows is part of the configuration from here on; 1 allows none.
  if (std::ranges::count(options.optimizer.methods, OptimizerKind::kProgressive) > 0) {
    resolved.optimizer.sample_limit = std::max<int64_t>(1, plan.sample_rows);
  }
  if (plan.mix_rows > 0) resolved.optimizer.mix_rows = plan.mix_rows;
  if (options.resume == "auto") {
    if (auto finished = FindFinishedRun(options.run_directory, resolved)) {
      if (control.observer != nullptr) control.observer->OnNote("the run is finished already");
      return *std::move(finished);
    }
    ForgetEmptyRun(options.run_directory);
  }
  const std::vector<Stage> stages = StagesOf(options, data.columns());
  Beginning beginning = Begin(resolved, stages, IdentityOf(data));
  RunFolder& folder = beginning.folder;
  for (const std::string& line : beginning.warnings) Reporter(folder, control.observer).Warn(line);
  if (beginning.anew) {
    Reporter(folder, control.observer).Note("begins anew: no stage of the run here was finished");
  }
  NoteStart(resolved, plan, data, Reporter(folder, control.observer));
  try {
    if (resolved.compute.precision == Precision::kFloat64) {
      return RunTraining<double>(resolved, plan, data, folder, std::move(beginning.resume),
                                 control);
    }
    return RunTraining<float>(resolved, plan, data, folder, std::move(beginning.resume), control);
  } catch (const Error& error) {
    LogQuietly(folder, error.what());
    folder.WithdrawIfEmpty();
    throw;
  } catch (const Stopped&) {
    folder.WithdrawIfEmpty();
    throw;
  }
}

}  // namespace rhohat
