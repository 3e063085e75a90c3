// Several models trained from one read of the data: one for each combination of some options'
// values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rhohat/observer.h"
#include "rhohat/options.h"
#include "rhohat/train.h"

namespace rhohat {

// An option, by its flag's name without dashes ("rho"), and the values that it takes in turn, as
// its flag takes them ("0.05"). It may be one of the objective's numbers, the noise, or a number of
// the optimiser that is not about rows: all models share the rows, their blocks and samples.
struct GridAxis {
  std::string option;
  std::vector<std::string> values;
};

// "rho=0.05,0.1". Throws Error(kUsage). Whether there is such an option is not looked at.
GridAxis ParseGridAxis(std::string_view text);

// At most so many models.
inline constexpr size_t kMostGridModels = 64;

// Whether the folder holds models of a grid, each in a folder of its own, and no run itself.
bool IsGridFolder(const std::string& folder);

// Trains a model for each point of the grid, at the same time: every block of rows is read and
// decoded once for all of them. Each has a run folder of its own in `options.run_directory`, named
// by its values ("rho=0.05,beta=1": options in the order of the help, values as given), in which
// everything is the same to the bit as Train() leaves it for these options, but for times and what
// was read. Any of them can be gone on with alone.
//
// Returns the models in the order of their values, the last option's running fastest. An option's
// values here beat the one in `options`. `options.resume` "auto" goes on with each model where its
// folder says, and leaves those that are finished. The observer is told of each model by OnModel().
//
// A model that fails, as one that diverges does, does not end the others: it is a warning to the
// observer, and the first one's Error is thrown at the end. What fails in reading fails for all.
// Throws Error(kUsage) for a grid that cannot be, before anything is created; Stopped as Train()
// does, with checkpoints of all that were under way.
std::vector<TrainResult> TrainGrid(const TrainOptions& options, const std::vector<GridAxis>& axes,
                                   const RunControl& control);

}  // namespace rhohat
