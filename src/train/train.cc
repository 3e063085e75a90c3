// From options to a finished run: what is asked for is checked, planned and announced, then run.
#include "rhohat/train.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include "data/data_set.h"
#include "network/parameters.h"
#include "objective/compute_plan.h"
#include "rhohat/error.h"
#include "rhohat/grid.h"
#include "train/data_identity.h"
#include "train/memory_plan.h"
#include "train/reporter.h"
#include "train/resume.h"
#include "train/run_start.h"
#include "train/time_limit.h"
#include "train/training_run.h"

namespace rhohat {
namespace {

template <class T>
TrainResult RunAlone(const TrainOptions& options, const MemoryPlan& plan, DataSet& data,
                     const DataStamp& stamp, RunStart& start, TimeLimit& limit) {
  SharedInput<T> input(data, plan, options.compute, 1);
  return RunTraining(options, plan, input, stamp, start.folder, std::move(start.state),
                     limit.control(), limit);
}

// A run that goes on may find its data under another name than it began with.
DataSet OpenData(const TrainOptions& options) {
  try {
    return DataSet(options.data);
  } catch (const Error& error) {
    const bool goes_on = options.resume == "auto" && HasUnfinishedRun(options.run_directory);
    const bool is_gone = std::ranges::any_of(options.data.files, [](const std::string& file) {
      std::error_code ignored;
      return !std::filesystem::exists(file, ignored);
    });
    if (error.kind() != ErrorKind::kNoInput || !goes_on || !is_gone) throw;
    throw Error(
        error.kind(),
        fmt::format("{}; where the data is elsewhere now, name its files anew: rhohat train "
                    "DATA... --resume {}",
                    error.what(), options.run_directory));
  }
}

}  // namespace

TrainResult Train(const TrainOptions& options, const RunControl& control) {
  TimeLimit limit(options.job.max_seconds, control);
  options.Validate();
  if (options.run_directory.empty()) {
    throw Error(ErrorKind::kUsage, "--run: missing: give a folder for the results");
  }
  if (IsGridFolder(options.run_directory)) {
    throw Error(
        ErrorKind::kCannotCreate,
        fmt::format("{}: holds the models of a grid: choose another folder for a run of one "
                    "model",
                    options.run_directory));
  }
  if (options.resume == "auto") {
    if (auto finished = FindFinishedRun(options.run_directory, options)) {
      if (control.observer != nullptr) control.observer->OnNote("the run is finished already");
      return *std::move(finished);
    }
  }
  DataSet data = OpenData(options);
  TrainOptions resolved = options;
  if (options.resume == "auto") AdoptChoices(options.run_directory, resolved);
  resolved.compute =
      ResolveCompute(resolved.compute, NetworkShape(data.columns(), options.network));
  const MemoryPlan plan = PlanTrainingMemory(resolved, resolved.compute, data);
  RecordChoices(plan, resolved);
  if (options.resume == "auto") ForgetEmptyRun(options.run_directory);
  const DataStamp stamp = StampOf(data);
  RunStart start = StartRun(resolved, stamp);
  RunFolder& folder = start.folder;
  Reporter reporter(folder, control.observer);
  for (const std::string& line : start.warnings) reporter.Warn(line);
  for (const std::string& line : start.notes) reporter.Note(line);
  NoteStart(resolved, plan, data, reporter);
  try {
    const auto run =
        resolved.compute.precision == Precision::kFloat64 ? &RunAlone<double> : &RunAlone<float>;
    return run(resolved, plan, data, stamp, start, limit);
  } catch (const Stopped&) {
    throw;
  } catch (const std::exception& fault) {
    LogQuietly(folder, fault.what());
    folder.WithdrawIfEmpty();
    throw;
  }
}

}  // namespace rhohat
