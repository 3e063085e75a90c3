// Stored elements to float or double: our own conversion, since the HDF5 library's is up to 300
// times slower (half precision) and runs under its global lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "data/element_type.h"

namespace rhohat {

// Converts `out.size()` elements of `type` at `raw` to T (float or double), rounding to nearest.
// For what is known to be finite. Thread-safe.
template <class T>
void ConvertElements(ElementType type, const std::byte* raw, std::span<T> out);

// Converts `out.size()` elements of `type` at `raw` to T (float or double), rounding to nearest.
// Returns false if any of the results is NaN or infinite; all are written either way. Thread-safe.
template <class T>
bool DecodeElements(ElementType type, const std::byte* raw, std::span<T> out);

// Whether all are neither NaN nor infinite.
template <class T>
bool AllFinite(std::span<const T> values);

}  // namespace rhohat
