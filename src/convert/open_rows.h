// Opens a file of any format that `convert` reads, told by its content and not by its name.
#pragma once

#include <memory>
#include <string>

#include "data/row_source.h"

namespace rhohat {

// Throws Error(kNoInput) where there is no such file; Error(kBadData) where its format is unknown,
// with a list of those there are, or where it is damaged.
std::unique_ptr<RowSource> OpenRows(const std::string& path);

}  // namespace rhohat
