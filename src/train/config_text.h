// A run's configuration as TOML: what config.toml in its folder holds (docs/formats/config.md).
#pragma once

#include <string>

#include "rhohat/options.h"

namespace rhohat {

// Every option: a table for each group, keys named as the flags. ReadConfig() makes the same
// options of it.
std::string ConfigText(const TrainOptions& options);

// The table of a group of options: "Optimiser" → "optimiser".
std::string TableName(std::string group);

// The data's files, which are arguments and not a flag.
inline constexpr char kFilesKey[] = "files";
inline constexpr char kFilesTable[] = "data";

}  // namespace rhohat
