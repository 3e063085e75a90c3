// A folder that exists for one test.
//
// In memory, where there is room: nearly all that tests write is synced at once, and what they
// would wait for is the disk. TMPDIR says otherwise.
#pragma once

#include <stdlib.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>

namespace rhohat {

inline std::filesystem::path PlaceOfTemporaryFolders() {
  constexpr uintmax_t kRoom = uintmax_t{1} << 30;
  const char* const memory = "/dev/shm";
  std::error_code absent;
  const std::filesystem::space_info space = std::filesystem::space(memory, absent);
  const bool has_room = !absent && space.available >= kRoom && ::access(memory, W_OK) == 0;
  if (has_room && std::getenv("TMPDIR") == nullptr) return memory;
  return std::filesystem::temp_directory_path();
}

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (PlaceOfTemporaryFolders() / "rhohat-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace rhohat
