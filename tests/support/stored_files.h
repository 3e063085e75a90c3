// Files that are kept with the tests' sources.
#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>

namespace rhohat {

// The path of tests/support/`name`. The program is built somewhere below the sources, or knows
// where they were.
inline std::string StoredFile(const std::string& name) {
  const std::filesystem::path inside = std::filesystem::path("tests") / "support" / name;
  for (std::filesystem::path place :
       {std::filesystem::read_symlink("/proc/self/exe"), std::filesystem::absolute(__FILE__)}) {
    while (place.has_relative_path()) {
      place = place.parent_path();
      if (std::filesystem::exists(place / inside)) return (place / inside).string();
    }
  }
  throw std::runtime_error("cannot find " + inside.string());
}

}  // namespace rhohat
