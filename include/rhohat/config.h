// Configuration files: the options of a training run as TOML (docs/formats/config.md).
#pragma once

#include <string>
#include <vector>

#include "rhohat/options.h"

namespace rhohat {

// Sets every option that the file names and leaves the others as they are; returns the names of
// those set, as flags have them without their dashes, and "files" where the data's files were. A
// run's config.toml sets all of them, to what they were.
//
// Throws Error(kNoInput) where there is no such file, and Error(kUsage), with the line, where it is
// not TOML, where a table or a key is unknown (with the nearest name there is), stands in another
// option's table or is given twice, and where a value is of the wrong type or not one that the
// option can have. Options may have been set by then. Whether they go together is not looked at:
// that is TrainOptions::Validate().
std::vector<std::string> ReadConfig(const std::string& path, TrainOptions& options);

}  // namespace rhohat
