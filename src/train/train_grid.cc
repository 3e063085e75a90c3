// A grid of models: each is a run of its own, with a folder and a thread, and what they read they
// read together.
#include <fmt/core.h>

#include <algorithm>
#include <deque>
#include <exception>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "data/data_set.h"
#include "network/parameters.h"
#include "objective/compute_plan.h"
#include "rhohat/error.h"
#include "rhohat/grid.h"
#include "train/data_identity.h"
#include "train/grid.h"
#include "train/grid_reports.h"
#include "train/memory_plan.h"
#include "train/resume.h"
#include "train/run_start.h"
#include "train/shared_input.h"
#include "train/time_limit.h"
#include "train/training_run.h"

namespace rhohat {
namespace {

namespace fs = std::filesystem;

// One of the models, while it is trained. Does not move: its run refers to it.
struct GridRun {
  GridRun(const GridModel& grid_model, const DataStamp& stamp, GridReports& reports,
          const RunControl& grid_control)
      : model(grid_model),
        start(StartRun(model.options, stamp)),
        observer(reports, model.name),
        control(grid_control) {
    if (control.observer != nullptr) control.observer = &observer;
  }

  const GridModel& model;
  RunStart start;
  ModelObserver observer;
  RunControl control;
  std::optional<TrainResult> result;
  std::exception_ptr failure;
};
using GridRuns = std::deque<GridRun>;

bool HasConfiguration(const std::string& folder) {
  std::error_code ignored;
  return fs::exists(fs::path(folder) / kConfigName, ignored);
}

bool IsFinished(const GridModel& model) {
  const std::string& folder = model.options.run_directory;
  std::error_code ignored;
  return model.options.resume == "auto" && HasConfiguration(folder) &&
         fs::exists(fs::path(folder) / kModelName, ignored);
}

void CheckRunDirectory(const std::string& folder) {
  if (folder.empty()) {
    throw Error(ErrorKind::kUsage, "--run: missing: give a folder for the results");
  }
  if (HasConfiguration(folder)) {
    throw Error(ErrorKind::kCannotCreate,
                fmt::format("{}: already holds a run of one model: choose another folder for a "
                            "grid",
                            folder));
  }
}

// ---- The plan ----------------------------------------------------------------------------------

// What was chosen when the grid was begun stays, also for models that come new.
void AdoptChoicesOfGrid(std::vector<GridModel>& models) {
  const auto begun = std::ranges::find_if(models, [](const GridModel& model) {
    return model.options.resume == "auto" && HasConfiguration(model.options.run_directory);
  });
  if (begun == models.end()) return;
  const std::string folder = begun->options.run_directory;
  for (GridModel& model : models) {
    AdoptChoices(model.options.run_directory, model.options);
    AdoptChoices(folder, model.options);
  }
}

// Of the models that are not finished, or of all.
MemoryPlan PlanModels(const std::vector<GridModel>& models, const RowSource& source) {
  std::vector<TrainOptions> options;
  for (const GridModel& model : models) {
    if (!IsFinished(model)) options.push_back(model.options);
  }
  if (options.empty()) options.push_back(models.front().options);
  return PlanTrainingMemory(options, options.front().compute, source);
}

void ResolveCompute(std::vector<GridModel>& models, int64_t inputs) {
  for (GridModel& model : models) {
    model.options.compute =
        ResolveCompute(model.options.compute, NetworkShape(inputs, model.options.network));
  }
}

// ---- Runs --------------------------------------------------------------------------------------

// Makes all folders of those that are not finished, or none. The others are looked at, and loaded
// again at the end: there is no memory for them until then.
void StartRuns(const std::vector<GridModel>& models, const DataStamp& stamp, GridReports& reports,
               const RunControl& control, GridRuns& runs) {
  try {
    for (const GridModel& model : models) {
      const TrainOptions& options = model.options;
      if (IsFinished(model) && FindFinishedRun(options.run_directory, options)) continue;
      if (options.resume == "auto") ForgetEmptyRun(options.run_directory);
      runs.emplace_back(model, stamp, reports, control);
    }
  } catch (...) {
    for (GridRun& run : runs) run.start.folder.WithdrawIfEmpty();
    throw;
  }
}

void NoteCount(const std::vector<GridModel>& models, const GridRuns& runs, GridReports& reports) {
  const size_t finished = models.size() - runs.size();
  reports.Note(
      "", fmt::format("grid: {} models{}", models.size(),
                      finished > 0 ? fmt::format(", {} of them finished already", finished) : ""));
}

void NoteStarts(const MemoryPlan& plan, const DataSet& data, RunObserver* observer,
                GridRuns& runs) {
  for (GridRun& run : runs) {
    const bool is_first = &run == &runs.front();
    NoteStart(run.model.options, plan, data,
              Reporter(run.start.folder, is_first ? observer : nullptr));
    Reporter reporter(run.start.folder, run.control.observer);
    for (const std::string& line : run.start.warnings) reporter.Warn(line);
    for (const std::string& line : run.start.notes) reporter.Note(line);
  }
}

// What ended a run that did not come to its end.
void EndEarly(GridRun& run, const std::string& fault) {
  LogQuietly(run.start.folder, fault);
  run.start.folder.WithdrawIfEmpty();
  if (run.control.observer != nullptr) run.control.observer->OnWarning(fault);
}

template <class T>
void RunModel(const MemoryPlan& plan, const DataStamp& stamp, SharedInput<T>& input,
              TimeLimit& limit, GridReports& reports, GridRun& run) {
  try {
    run.result = RunTraining(run.model.options, plan, input, stamp, run.start.folder,
                             std::move(run.start.state), run.control, limit);
    reports.Note(run.model.name,
                 fmt::format("J {:.6g} after {} iterations: {}", run.result->last.cost.total(),
                             run.result->last.iteration, run.result->model.stop_reason));
  } catch (const Stopped&) {
    run.failure = std::current_exception();
  } catch (const std::exception& fault) {
    run.failure = std::current_exception();
    EndEarly(run, fault.what());
  }
}

template <class T>
void RunModels(const MemoryPlan& plan, DataSet& data, const DataStamp& stamp, TimeLimit& limit,
               GridReports& reports, GridRuns& runs) {
  SharedInput<T> input(data, plan, runs.front().model.options.compute, std::ssize(runs));
  std::vector<std::jthread> threads;  // join on every way out
  for (GridRun& run : runs) {
    try {
      threads.emplace_back([&] {
        RunModel(plan, stamp, input, limit, reports, run);
        input.Leave();
      });
    } catch (const std::system_error&) {
      run.failure = std::current_exception();
      EndEarly(run, "cannot start a thread for it");
      input.Leave();
    }
  }
}

// ---- What came of it ---------------------------------------------------------------------------

// Some may have finished or failed before; those that go on decide.
void ThrowIfStopped(const TrainOptions& options, const TimeLimit& limit, const GridRuns& runs) {
  int64_t stopped = 0;
  for (const GridRun& run : runs) {
    try {
      if (run.failure) std::rethrow_exception(run.failure);
    } catch (const Stopped&) {
      ++stopped;
    } catch (...) {
      continue;
    }
  }
  if (stopped == 0) return;
  throw Stopped(
      fmt::format("{}: checkpoints of {} models are in {}: go on with the same command and "
                  "--resume auto",
                  limit.ran_out() ? "stopped in time for --max-time" : "stopped on request",
                  stopped, options.run_directory),
      static_cast<int>(options.job.stop_code));
}

// The first in the order of the grid.
void ThrowIfFailed(const GridRuns& runs) {
  const auto has_failed = [](const GridRun& run) { return run.failure != nullptr; };
  const auto first = std::ranges::find_if(runs, has_failed);
  if (first == runs.end()) return;
  const auto count = std::ranges::count_if(runs, has_failed);
  try {
    std::rethrow_exception(first->failure);
  } catch (const Error& error) {
    if (count == std::ssize(runs)) throw;
    throw Error(error.kind(), fmt::format("{} of {} models failed; the first, {}: {}", count,
                                          runs.size(), first->model.name, error.what()));
  }
}

std::vector<TrainResult> ResultsOf(const std::vector<GridModel>& models, GridRuns& runs) {
  std::vector<TrainResult> results;
  auto run = runs.begin();
  for (const GridModel& model : models) {
    if (run != runs.end() && &run->model == &model) {
      results.push_back(*std::move(run->result));
      ++run;
    } else {
      results.push_back(*FindFinishedRun(model.options.run_directory, model.options));
    }
  }
  return results;
}

}  // namespace

std::vector<TrainResult> TrainGrid(const TrainOptions& options, const std::vector<GridAxis>& axes,
                                   const RunControl& control) {
  std::vector<GridModel> models = GridModels(options, axes);
  CheckRunDirectory(options.run_directory);
  GridRuns runs;
  GridReports reports(control.observer);
  if (std::ranges::all_of(models, IsFinished)) {
    std::vector<TrainResult> results = ResultsOf(models, runs);
    NoteCount(models, runs, reports);
    return results;
  }
  TimeLimit limit(options.job.max_seconds, control, models.size());
  DataSet data(options.data);
  AdoptChoicesOfGrid(models);
  ResolveCompute(models, data.columns());
  const MemoryPlan plan = PlanModels(models, data);
  for (GridModel& model : models) RecordChoices(plan, model.options);
  const DataStamp stamp = StampOf(data);
  StartRuns(models, stamp, reports, limit.control(), runs);
  NoteCount(models, runs, reports);
  if (!runs.empty()) {
    NoteStarts(plan, data, control.observer, runs);
    const auto run_models =
        options.compute.precision == Precision::kFloat64 ? &RunModels<double> : &RunModels<float>;
    run_models(plan, data, stamp, limit, reports, runs);
    ThrowIfStopped(options, limit, runs);
    ThrowIfFailed(runs);
  }
  return ResultsOf(models, runs);
}

}  // namespace rhohat
