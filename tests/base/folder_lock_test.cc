#include "base/folder_lock.h"

#include <gtest/gtest.h>

#include <utility>

#include "rhohat/error.h"
#include "tests/support/temporary_folder.h"

namespace rhohat {
namespace {

ErrorKind KindOfLocking(const std::string& folder) {
  try {
    const FolderLock lock(folder);
  } catch (const Error& error) {
    return error.kind();
  }
  return ErrorKind::kInternal;
}

TEST(FolderLockTest, IsHeldByOneAtATimeUntilItIsGone) {
  const TemporaryFolder folder;
  {
    FolderLock lock(folder / "");
    EXPECT_EQ(KindOfLocking(folder / ""), ErrorKind::kCannotCreate);
    const FolderLock moved(std::move(lock));
    EXPECT_EQ(KindOfLocking(folder / ""), ErrorKind::kCannotCreate);
  }
  EXPECT_NO_THROW(FolderLock(folder / ""));
}

TEST(FolderLockTest, NeedsAFolder) {
  const TemporaryFolder folder;
  EXPECT_EQ(KindOfLocking(folder / "none"), ErrorKind::kCannotCreate);
}

}  // namespace
}  // namespace rhohat
