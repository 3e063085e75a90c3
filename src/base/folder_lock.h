// A folder for one process at a time.
//
// The lock is the operating system's, on a file `.lock` in the folder: it goes with the process
// however that ends, and holds across the hosts of a network file system that has locks. The file
// says whose it is, and is removed when its owner is done; so one that is there without being
// locked tells of a process that was killed. Some file systems of clusters have no locks: there it
// is up to the user.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace rhohat {

inline constexpr char kLockName[] = ".lock";

// Whether the open file could be locked; true as well where there are no locks. The lock lasts
// until the descriptor is closed.
bool TryToLock(int descriptor);

class FolderLock {
 public:
  // Throws Error(kCannotCreate) where another process, or another lock of this one, has the folder,
  // and Error(kIo) where the lock's file cannot be written.
  explicit FolderLock(const std::filesystem::path& folder);
  ~FolderLock();
  FolderLock(FolderLock&& other) noexcept;
  FolderLock& operator=(FolderLock&&) = delete;

  // Whether the folder's name still leads to the folder that was locked: it may have been moved,
  // removed or replaced since.
  bool IsInPlace() const;

 private:
  void Release();
  void Close();

  std::filesystem::path path_;
  int descriptor_ = -1;
};

// Who has a folder, or had it last.
struct LockOwner {
  enum class State {
    kNobody,  // nobody; whoever was there has left in good order
    kAtWork,  // the owner runs
    kKilled,  // the owner is gone, and could not say so
    kUnknown  // the owner's host is another one, and the file system says nothing of its locks
  };
  State state = State::kNobody;
  // As far as known; empty and 0 otherwise.
  std::string host;
  int64_t process = 0;
  std::string job;  // the batch system's number, where the owner was a job
};

// Looks without touching: neither the owner nor who comes next is disturbed.
LockOwner FindLockOwner(const std::filesystem::path& folder);

}  // namespace rhohat
