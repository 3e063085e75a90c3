// Going on with a run that was stopped or killed, after the last stage that it finished.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "rhohat/model.h"
#include "rhohat/observer.h"
#include "rhohat/options.h"
#include "rhohat/train.h"
#include "train/stages.h"

namespace rhohat {

struct ResumePoint {
  size_t stages_done = 0;
  Model model;                             // what those stages came to
  IterationMetrics last{.iteration = -1};  // their last line of metrics.jsonl
};

// What the program chooses by the memory that there is, and the user left to it, becomes what the
// run in `folder` was begun with, where there is one: another machine may have other memory.
void AdoptChoices(const std::string& folder, TrainOptions& options);

// Whether the folder holds a run that is not finished.
bool HasUnfinishedRun(const std::string& folder);

// Takes away the empty metrics.jsonl of a run that was killed before it had a configuration: there
// is nothing to go on with, and nothing to lose.
void ForgetEmptyRun(const std::string& folder);

// What the run in `folder` came to where it is finished. Throws Error(kUsage) where it is one of
// another configuration.
std::optional<TrainResult> FindFinishedRun(const std::string& folder, const TrainOptions& options);

// What the run in `folder` has finished of `stages`; nothing where it has not finished any.
// Checkpoints that are unreadable, of another run, or of other data than `data` are told of by
// `warn` and passed over. Throws Error(kUsage), naming the first difference, where the run is one
// of another configuration; of `options`, which are resolved, resources may differ.
std::optional<ResumePoint> FindResumePoint(const std::string& folder, const TrainOptions& options,
                                           const std::vector<Stage>& stages,
                                           const DataIdentity& data,
                                           const std::function<void(const std::string&)>& warn);

// Removes files that a killed process was writing, which still have their temporary names. For who
// holds the folder's lock.
void RemoveLeftovers(const std::string& folder);

// Takes the lines of stages that will run again out of metrics.jsonl.
void RewindMetrics(const std::string& folder, const std::vector<Stage>& stages, size_t stages_done);

}  // namespace rhohat
