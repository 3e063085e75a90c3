// Going on with a run that was stopped or killed, from its latest sound checkpoint.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/state_file.h"
#include "rhohat/options.h"
#include "rhohat/train.h"
#include "train/data_identity.h"

namespace rhohat {

struct ResumePoint {
  std::string path;
  std::unique_ptr<StateReader> state;
  uint64_t metrics_bytes = 0;  // length of metrics.jsonl at the time
};

// What the program chooses by the memory that there is, and the user left to it, becomes what the
// run in `folder` was begun with, where there is one: another machine may have other memory.
void AdoptChoices(const std::string& folder, TrainOptions& options);

// Whether the folder holds a run that is not finished.
bool HasUnfinishedRun(const std::string& folder);

// Takes away the empty metrics.jsonl of a run that was killed before it had a configuration: there
// is nothing to go on with, and nothing to lose.
void ForgetEmptyRun(const std::string& folder);

// What the run in `folder` came to where it is finished. Needs no data: what `options` leave to be
// chosen is taken as it was chosen then. Throws Error(kUsage) where the run is one of another
// configuration.
std::optional<TrainResult> FindFinishedRun(const std::string& folder, const TrainOptions& options);

// The checkpoint to go on from; nothing where none was written yet. Damaged ones, and those of
// another configuration, are told of by `warn` and passed over; they are set aside where an older
// one is sound.
//
// Throws Error(kUsage), naming the first difference, where the run, or every one of its
// checkpoints, is of another configuration; of `options`, which are resolved, resources, the job
// and names of files may differ. Throws Error(kBadData) where no checkpoint is sound, or where
// `data` is not what the run began with, and Error(kIo) where they cannot be read.
std::optional<ResumePoint> FindResumePoint(const std::string& folder, const TrainOptions& options,
                                           const DataStamp& data,
                                           const std::function<void(const std::string&)>& warn);

// Removes files that a killed process was writing, which still have their temporary names. For who
// holds the folder's lock.
void RemoveLeftovers(const std::string& folder);

}  // namespace rhohat
