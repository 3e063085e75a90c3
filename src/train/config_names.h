// Names in configuration files that are not an option's own.
#pragma once

#include <algorithm>
#include <string>

namespace rhohat {

// The data's files, which are arguments and not a flag.
inline constexpr char kFilesKey[] = "files";
inline constexpr char kFilesTable[] = "data";

// "Optimiser" → "optimiser": tables of a TOML file are in lower case by custom.
inline std::string TableName(std::string group) {
  std::ranges::transform(group, group.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return group;
}

}  // namespace rhohat
