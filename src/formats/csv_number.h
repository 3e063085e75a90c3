// One field of text to float64: what Python's float() makes of it, whatever the locale.
//
// Accepted are decimal numbers, inf and infinity, each with or without a sign; the nearest float64
// is taken, infinity or zero where there is none near. Not accepted, though Python does: digits
// with underscores, digits beyond ASCII, and numbers of more than 4096 characters.
#pragma once

#include <string_view>

namespace rhohat {

// Reads the decimal number at `begin`, as much of it as there is before `end`. Returns one past its
// last character, or nullptr where there is none.
const char* ScanNumber(const char* begin, const char* end, double& value);

// Whether a field stands for a value that is not there: it is empty, or one of NA, N/A, #N/A, NaN
// (with or without a sign), null, none and ?, in any case.
bool IsMissing(std::string_view field);

enum class FieldKind { kNumber, kMissing, kOther };

// `field` is without blanks around it. Sets `value` where it is a number.
FieldKind ReadField(std::string_view field, double& value);

}  // namespace rhohat
