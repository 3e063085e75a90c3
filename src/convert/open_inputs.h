// What the user names as inputs, as one source of rows.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/row_source.h"
#include "rhohat/convert.h"

namespace rhohat {

// The files that `inputs` stand for: a pattern ("part*.npy") for those that match it, a folder for
// the pictures in it, both in natural order (part2 before part10); a file for itself. Throws
// Error(kNoInput) for what does not exist or matches nothing.
std::vector<std::string> ExpandInputs(const std::vector<std::string>& inputs);

// The rows and columns that `options` ask for of `files`. `spool_folder` is for what must be put
// down on disk to be read by rows. Throws Error.
std::unique_ptr<RowSource> OpenInputs(const std::vector<std::string>& files,
                                      const ConvertOptions& options,
                                      const std::string& spool_folder);

}  // namespace rhohat
