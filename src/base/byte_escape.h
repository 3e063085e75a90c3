// Any bytes as UTF-8, and back: for parsers that take nothing else, of text that may hold names of
// files, which are bytes.
#pragma once

#include <string>
#include <string_view>

namespace rhohat {

// Valid UTF-8 stays as it is; each other byte becomes one character of a range that nobody uses. In
// the rare text that has characters of that range, these are escaped byte by byte.
std::string EscapeToUtf8(std::string_view bytes);

// What EscapeToUtf8() was given, and the same for any stretch of its result that cuts no character.
std::string UnescapeFromUtf8(std::string_view text);

}  // namespace rhohat
