// The pictures of a folder, in the order in which people count.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rhohat {

// Paths of the files in `folder` that begin like PNG or JPEG, whatever their names; folders in it
// are not entered. Sorted with NaturalLess. Throws Error(kNoInput) where the folder or a file in it
// may not be read.
std::vector<std::string> PicturesIn(const std::string& folder);

// Digits compare as whole numbers and all else byte by byte: part2 before part10.
bool NaturalLess(std::string_view a, std::string_view b);

}  // namespace rhohat
