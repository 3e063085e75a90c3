#include "convert/shuffle_folder.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "base/atomic_file.h"
#include "base/folder_lock.h"
#include "base/text.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

namespace fs = std::filesystem;

// Whether `path` is the file that is open; the process that had it before may have deleted it.
bool IsSameFile(int descriptor, const fs::path& path) {
  struct stat opened {};
  struct stat named {};
  return ::fstat(descriptor, &opened) == 0 && ::stat(path.c_str(), &named) == 0 &&
         opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

}  // namespace

fs::path ShuffleFolder::PathFor(const fs::path& output) {
  fs::path path = FollowLinks(output);
  path += ".shuffle";
  return path;
}

ShuffleFolder::ShuffleFolder(const fs::path& output) : path_(PathFor(output)) { Enter(); }

ShuffleFolder::~ShuffleFolder() { Leave(); }

void ShuffleFolder::Enter() {
  constexpr int kTries = 100;
  for (int i = 0; i < kTries; ++i) {
    if (TryEnter()) return;
  }
  throw Error(
      ErrorKind::kCannotCreate,
      fmt::format("{}: cannot enter the folder: others make and delete it", path_.string()));
}

// False where the folder went away meanwhile.
bool ShuffleFolder::TryEnter() {
  std::error_code failed;
  fs::create_directory(path_, failed);
  if (failed) {
    throw Error(ErrorKind::kCannotCreate,
                fmt::format("{}: cannot create the folder: {}", path_.string(), failed.message()));
  }
  const int descriptor = ::open(lock().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor < 0 && errno == ENOENT) return false;
  if (descriptor < 0) {
    throw Error(ErrorKind::kCannotCreate,
                fmt::format("{}: cannot create: {}", lock().string(), ErrnoText(errno)));
  }
  if (!TryToLock(descriptor)) {
    ::close(descriptor);
    throw Error(ErrorKind::kCannotCreate,
                fmt::format("{}: another process is at work here; wait for its end, or choose "
                            "another output",
                            path_.string()));
  }
  if (!IsSameFile(descriptor, lock())) {
    ::close(descriptor);
    return false;
  }
  descriptor_ = descriptor;
  return true;
}

void ShuffleFolder::Clear() const {
  std::error_code ignored;
  fs::remove(journal(), ignored);
  fs::remove(buckets(), ignored);
  // Journals that a killed process was about to replace the last one by.
  std::vector<fs::path> stale;
  for (fs::directory_iterator entry(path_, ignored), end; !ignored && entry != end;
       entry.increment(ignored)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with(".journal.") && name.ends_with(".part")) stale.push_back(entry->path());
  }
  for (const fs::path& path : stale) fs::remove(path, ignored);
}

void ShuffleFolder::Leave() {
  std::error_code ignored;
  if (!fs::exists(journal(), ignored)) {
    Clear();
    fs::remove(lock(), ignored);
    fs::remove(path_, ignored);  // only where it is empty
  }
  ::close(std::exchange(descriptor_, -1));
}

}  // namespace rhohat
