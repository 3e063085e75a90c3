// The points of a grid of options: which there are, and what they are called.
#pragma once

#include <string>
#include <vector>

#include "rhohat/grid.h"

namespace rhohat {

struct GridModel {
  std::string name;      // of its folder: "rho=0.05,beta=1"
  TrainOptions options;  // valid; its folder is `options.run_directory`
};

// In the order of TrainGrid(). Throws Error(kUsage) that lists the faults of the grid.
std::vector<GridModel> GridModels(const TrainOptions& options, const std::vector<GridAxis>& axes);

}  // namespace rhohat
