// Results on standard output, where a failed write is an error and not lost text.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rhohat {

// Throws Error(kIo).
void Print(std::string_view text);

// Everything printed has reached the operating system, or Error(kIo).
void FlushPrinted();

using Lines = std::vector<std::pair<std::string, std::string>>;  // name and value

// In two columns.
std::string AlignedLines(const Lines& lines);

// A number for a person: six significant digits.
std::string Number(double value);

}  // namespace rhohat
