// What arrays a MATLAB file holds, whatever its version, and which of them is to be read.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/input_file.h"
#include "data/row_source.h"

namespace rhohat {

// What is known of an array without reading its numbers.
struct MatlabArray {
  std::string name;
  // What it is, in words: "double", "complex double", "struct", …
  std::string kind;
  bool is_numbers = false;  // real and full, of a type that rows can have
  std::vector<int64_t> shape;

  // Whether it looks like rows of columns: two axes or more are longer than one.
  bool IsMatrix() const;
  // "x: 3×4 double", on one line whatever the name.
  std::string Description() const;
};

// Text from a file in one line of a message.
std::string PrintableName(std::string_view name);

// The array named `variable`, or the only matrix of numbers where that is empty. Throws
// Error(kNoInput) where there is none of that name, Error(kUsage) where a name is needed,
// Error(kBadData) where there is no matrix of numbers, or the one named is none.
const MatlabArray& ChooseArray(const std::string& path, const std::string& variable,
                               std::span<const MatlabArray> arrays);

// The rows of an array of that shape, of two axes or more, whose elements lie in `file` from
// `offset` on in MATLAB's order: the first axis runs fastest.
std::unique_ptr<RowSource> MatlabRows(std::unique_ptr<InputFile> file, uint64_t offset,
                                      ElementType type, const std::vector<int64_t>& shape);

}  // namespace rhohat
