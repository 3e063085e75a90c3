// Numbers to stored elements of any type: the reverse of data/decode.h.
#pragma once

#include <cstddef>
#include <span>

#include "data/element_type.h"

namespace rhohat {

// Rounds `values` to the nearest of `kind` (ties to even) and writes them to `out`, little-endian,
// values.size() elements. Returns the index of the first value that does not fit, values.size()
// where all do: an integer type holds neither what is out of its range nor NaN and infinities; a
// floating-point type holds those, but not a number so large that it would become infinite.
size_t EncodeElements(std::span<const double> values, ElementKind kind, std::byte* out);

// Writes to `out` the number of `kind` that is nearest to `value`, which may be out of range. False
// where there is none: NaN for an integer.
bool EncodeClipped(double value, ElementKind kind, std::byte* out);

// The smallest type that holds every number of both types, float64 where there is none.
ElementType CommonType(ElementType a, ElementType b);

}  // namespace rhohat
