// Small helpers for messages.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rhohat {

// The candidate that `name` begins, else the one with the fewest edits from it, or "" where none is
// near enough to suggest.
std::string NearestName(std::string_view name, std::span<const std::string> candidates);

// "a, b and c"; long lists end with "and 988 more".
std::string JoinNames(std::span<const std::string> names);

// The pieces of `text` between `separator`s; one empty piece for empty text.
std::vector<std::string> Split(std::string_view text, char separator);

// What errno `code` means, in words.
std::string ErrnoText(int code);

}  // namespace rhohat
