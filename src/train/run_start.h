// How a run starts: what was left to choose is recorded, its folder is made or gone on with, and it
// says what it is about to do.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/state_file.h"
#include "data/data_set.h"
#include "rhohat/memory_plan.h"
#include "rhohat/options.h"
#include "train/data_identity.h"
#include "train/reporter.h"
#include "train/run_folder.h"

namespace rhohat {

// What the memory allows is part of the configuration from here on.
void RecordChoices(const MemoryPlan& plan, TrainOptions& options);

// The run's folder, and what an unfinished run has left there to go on with.
struct RunStart {
  RunFolder folder;
  std::unique_ptr<StateReader> state;  // null where there is none
  std::vector<std::string> notes;
  std::vector<std::string> warnings;
};

// `options` are resolved, and their choices recorded. Throws Error where the folder cannot be had,
// or its run cannot be gone on with: see resume.h.
RunStart StartRun(const TrainOptions& options, const DataStamp& data);

// Notes data, network, resources and schedule.
void NoteStart(const TrainOptions& options, const MemoryPlan& plan, const DataSet& data,
               Reporter reporter);

// For a run that has failed: the log's own disk may be what failed, and then the first error is the
// one to tell.
void LogQuietly(RunFolder& folder, const std::string& text);

}  // namespace rhohat
