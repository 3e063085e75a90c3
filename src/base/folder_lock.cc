#include "base/folder_lock.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

namespace fs = std::filesystem;

// The whole file, for writing. Such locks belong to the open file and not to the process, can be
// asked about without being taken, and cross a network where the file system's locks do.
struct flock WholeFile(short type) {
  struct flock range {};
  range.l_type = type;
  range.l_whence = SEEK_SET;
  return range;
}

enum class Taken { kYes, kNo, kNoLocks };

Taken TakeLock(int descriptor) {
  struct flock range = WholeFile(F_WRLCK);
  int result = 0;
  do {
    result = ::fcntl(descriptor, F_OFD_SETLK, &range);
  } while (result != 0 && errno == EINTR);
  if (result == 0) return Taken::kYes;
  return errno == EAGAIN || errno == EACCES ? Taken::kNo : Taken::kNoLocks;
}

// Whether somebody has the lock; kNoLocks where there are none to ask about.
Taken IsTaken(int descriptor) {
  struct flock range = WholeFile(F_RDLCK);
  if (::fcntl(descriptor, F_OFD_GETLK, &range) != 0) return Taken::kNoLocks;
  return range.l_type == F_UNLCK ? Taken::kNo : Taken::kYes;
}

// Whether the path leads to the open file: its owner may have removed it since it was opened.
bool IsFileAt(int descriptor, const fs::path& path) {
  struct stat open {};
  struct stat named {};
  return ::fstat(descriptor, &open) == 0 && ::stat(path.c_str(), &named) == 0 &&
         open.st_ino == named.st_ino && open.st_dev == named.st_dev;
}

std::string HostName() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

std::string FirstLine(const fs::path& path) {
  std::string line;
  std::ifstream file(path);
  std::getline(file, line);
  return line;
}

// Tells one life of a process's number, or of a machine, from the next: the moment of its start
// and the boot's own name. Empty where there is no such process, or it is dead already.
std::string LifeOf(int64_t process) {
  const std::string line = FirstLine(fmt::format("/proc/{}/stat", process));
  const size_t name_end = line.rfind(')');  // the name before it may hold anything
  if (name_end == line.npos) return "";
  const std::vector<std::string> fields = Split(std::string_view(line).substr(name_end + 1), ' ');
  // Of proc(5) the 3rd and the 22nd: the name is the 2nd, and a blank stands behind it.
  constexpr size_t kRunState = 1;
  constexpr size_t kStartTime = 20;
  if (fields.size() <= kStartTime || fields[kRunState] == "Z") return "";
  return fmt::format("{}-{}", fields[kStartTime], FirstLine("/proc/sys/kernel/random/boot_id"));
}

std::string JobNumber() {
  for (const char* name : {"SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "JOB_ID"}) {
    const char* number = std::getenv(name);
    if (number != nullptr && *number != '\0') return number;
  }
  return "";
}

void WriteOwner(int descriptor, const fs::path& path) {
  const std::string text = fmt::format("host {}\nprocess {}\nlife {}\njob {}\n", HostName(),
                                       ::getpid(), LifeOf(::getpid()), JobNumber());
  ssize_t written = ::ftruncate(descriptor, 0);
  for (size_t done = 0; written >= 0 && done < text.size(); done += static_cast<size_t>(written)) {
    written =
        ::pwrite(descriptor, text.data() + done, text.size() - done, static_cast<off_t>(done));
    if (written == 0) {
      written = -1;
      errno = ENOSPC;
    }
  }
  if (written >= 0) return;
  throw Error(ErrorKind::kIo, fmt::format("{}: cannot write: {}", path.string(), ErrnoText(errno)));
}

struct OwnerText {
  LockOwner owner;
  std::string life;
};

OwnerText ReadOwner(int descriptor) {
  std::array<char, 1024> buffer{};
  const ssize_t size = ::pread(descriptor, buffer.data(), buffer.size(), 0);
  const std::string_view text(buffer.data(), static_cast<size_t>(size > 0 ? size : 0));
  OwnerText read;
  for (const std::string& line : Split(text, '\n')) {
    const size_t blank = line.find(' ');
    const std::string name = line.substr(0, blank);
    const std::string value = blank == line.npos ? "" : line.substr(blank + 1);
    if (name == "host") read.owner.host = value;
    if (name == "job") read.owner.job = value;
    if (name == "life") read.life = value;
    if (name == "process") {
      std::from_chars(value.data(), value.data() + value.size(), read.owner.process);
    }
  }
  return read;
}

[[noreturn]] void ThrowAtWork(const fs::path& folder) {
  const LockOwner owner = FindLockOwner(folder);
  std::string who = "another process is at work in this folder";
  if (owner.process > 0) who += fmt::format(": process {} on {}", owner.process, owner.host);
  if (!owner.job.empty()) who += fmt::format(", job {}", owner.job);
  // A file system's server may hold on to the lock of a host that has died.
  if (!owner.host.empty() && owner.host != HostName()) {
    who += fmt::format("; if that is gone for good, remove {}", (folder / kLockName).string());
  }
  throw Error(ErrorKind::kCannotCreate, fmt::format("{}: {}", folder.string(), who));
}

}  // namespace

bool TryToLock(int descriptor) {
  int result = 0;
  do {
    result = ::flock(descriptor, LOCK_EX | LOCK_NB);
  } while (result != 0 && errno == EINTR);
  return result == 0 || errno != EWOULDBLOCK;
}

FolderLock::FolderLock(const fs::path& folder) : path_(folder / kLockName) {
  Taken taken = Taken::kNo;
  do {
    Close();
    descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (descriptor_ < 0) {
      throw Error(ErrorKind::kCannotCreate,
                  fmt::format("{}: cannot create: {}", path_.string(), ErrnoText(errno)));
    }
    taken = TakeLock(descriptor_);
  } while (taken == Taken::kYes && !IsFileAt(descriptor_, path_));
  const bool alive =
      taken == Taken::kNoLocks && FindLockOwner(folder).state == LockOwner::State::kAtWork;
  if (taken == Taken::kNo || alive) {
    Close();
    ThrowAtWork(folder);
  }
  try {
    WriteOwner(descriptor_, path_);
  } catch (...) {
    Release();
    throw;
  }
}

FolderLock::~FolderLock() { Release(); }

bool FolderLock::IsInPlace() const { return descriptor_ >= 0 && IsFileAt(descriptor_, path_); }

void FolderLock::Release() {
  if (IsInPlace()) ::unlink(path_.c_str());
  Close();
}

void FolderLock::Close() {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
}

FolderLock::FolderLock(FolderLock&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

LockOwner FindLockOwner(const fs::path& folder) {
  using State = LockOwner::State;
  const fs::path path = folder / kLockName;
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (descriptor < 0) return {.state = errno == ENOENT ? State::kNobody : State::kUnknown};
  const Taken taken = IsTaken(descriptor);
  auto [owner, life] = ReadOwner(descriptor);
  const bool removed = !IsFileAt(descriptor, path);
  ::close(descriptor);
  if (removed) return {};
  if (taken == Taken::kYes) {
    owner.state = State::kAtWork;
  } else if (owner.host != HostName()) {
    owner.state = State::kUnknown;  // a lock may hold on one host, and not be seen on another
  } else if (taken == Taken::kNo) {
    owner.state = State::kKilled;
  } else {
    // Without locks the process itself is the witness.
    const bool runs = !life.empty() && LifeOf(owner.process) == life;
    owner.state = runs ? State::kAtWork : State::kKilled;
  }
  return owner;
}

}  // namespace rhohat
