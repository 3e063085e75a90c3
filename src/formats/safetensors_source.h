// One tensor of a safetensors file, of any type that rows can have.
//
// The first axis counts rows, the others are flattened to columns. Only the header is read when the
// file is opened; rows are read where they lie, by several threads at once. A tensor that is cut
// into several files is several inputs: whoever calls joins them.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "data/row_source.h"

namespace rhohat {

// Whether a file that starts with these bytes, nine or more, means to be safetensors: a length that
// a header can have, and the brace that a header begins with.
bool LooksLikeSafetensors(std::span<const std::byte> first_bytes);

// The rows of the tensor named `tensor`, or of the only one with two axes or more where that is
// empty. Throws Error(kNoInput) where there is no such file or tensor, Error(kUsage) where a name
// is needed, Error(kBadData) where the file is damaged or the tensor is not rows of numbers.
std::unique_ptr<RowSource> OpenSafetensorsRows(const std::string& path, const std::string& tensor);

}  // namespace rhohat
