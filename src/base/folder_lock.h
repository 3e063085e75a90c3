// A folder for one process at a time.
//
// The lock is the operating system's, so it goes with the process however that ends. Some file
// systems of clusters have no locks: there it is up to the user.
#pragma once

#include <filesystem>

namespace rhohat {

// Whether the open file could be locked; true as well where there are no locks. The lock lasts
// until the descriptor is closed.
bool TryToLock(int descriptor);

class FolderLock {
 public:
  // Throws Error(kCannotCreate) where another process, or another lock of this one, has the folder.
  explicit FolderLock(const std::filesystem::path& folder);
  ~FolderLock();
  FolderLock(FolderLock&& other) noexcept;
  FolderLock& operator=(FolderLock&&) = delete;

 private:
  int descriptor_ = -1;
};

}  // namespace rhohat
