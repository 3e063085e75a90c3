// NumPy's names of element types: "<f4", "|u1", ">i8".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "data/element_type.h"

namespace rhohat {

// Nothing where it is not a type of real numbers.
std::optional<ElementType> FindNpyType(std::string_view descr);

// Throws Error(kBadData), with a way to convert the array, where it is not a type of real numbers.
ElementType NpyType(std::string_view descr, const std::string& path);

// Whether the elements are truth values: bytes of 0 and 1.
bool IsNpyBoolean(std::string_view descr);

// For messages: nothing that a damaged file holds can break the line.
std::string Printable(std::string_view text);

}  // namespace rhohat
