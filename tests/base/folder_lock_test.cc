#include "base/folder_lock.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>
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

TEST(FolderLockTest, LeavesNothingBehind) {
  const TemporaryFolder folder;
  { const FolderLock lock(folder.path()); }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(FolderLockTest, KnowsWhetherItsFolderIsInPlace) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "run");
  const FolderLock lock(folder / "run");
  EXPECT_TRUE(lock.IsInPlace());
  std::filesystem::rename(folder / "run", folder / "moved");
  EXPECT_FALSE(lock.IsInPlace());
  std::filesystem::create_directory(folder / "run");
  const FolderLock other(folder / "run");
  EXPECT_FALSE(lock.IsInPlace());
  EXPECT_TRUE(other.IsInPlace());
}

TEST(FolderLockTest, DoesNotRemoveTheFileOfWhoComesNext) {
  const TemporaryFolder folder;
  std::optional<FolderLock> first(std::in_place, folder.path());
  std::filesystem::remove(folder / kLockName);  // as somebody who takes the owner for dead
  const FolderLock second(folder.path());
  first.reset();
  EXPECT_EQ(KindOfLocking(folder / ""), ErrorKind::kCannotCreate);
}

TEST(LockOwnerTest, IsThisProcessWhileItHoldsTheLock) {
  const TemporaryFolder folder;
  EXPECT_EQ(FindLockOwner(folder.path()).state, LockOwner::State::kNobody);
  {
    const FolderLock lock(folder.path());
    const LockOwner owner = FindLockOwner(folder.path());
    EXPECT_EQ(owner.state, LockOwner::State::kAtWork);
    EXPECT_EQ(owner.process, ::getpid());
    EXPECT_FALSE(owner.host.empty());
  }
  EXPECT_EQ(FindLockOwner(folder.path()).state, LockOwner::State::kNobody);
}

TEST(LockOwnerTest, IsKilledWhereItIsGoneAndItsFileIsNot) {
  const TemporaryFolder folder;
  const pid_t child = ::fork();
  if (child == 0) {
    const FolderLock lock(folder.path());
    ::_exit(0);  // without destructors
  }
  ASSERT_GT(child, 0);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  const LockOwner owner = FindLockOwner(folder.path());
  EXPECT_EQ(owner.state, LockOwner::State::kKilled);
  EXPECT_EQ(owner.process, child);
  EXPECT_NO_THROW(FolderLock(folder.path()));
}

TEST(LockOwnerTest, OnAnotherHostIsUnknown) {
  const TemporaryFolder folder;
  std::ofstream(folder / kLockName) << "host elsewhere\nprocess 12\nlife 3-4\njob 99\n";
  const LockOwner owner = FindLockOwner(folder.path());
  EXPECT_EQ(owner.state, LockOwner::State::kUnknown);
  EXPECT_EQ(owner.host, "elsewhere");
  EXPECT_EQ(owner.process, 12);
  EXPECT_EQ(owner.job, "99");
}

TEST(LockOwnerTest, IsReadFromAnyBytes) {
  const TemporaryFolder folder;
  for (const char* text :
       {"", "\n\n", "process", "process x\nhost", "process 99999999999999999999"}) {
    std::ofstream(folder / kLockName) << text;
    EXPECT_NE(FindLockOwner(folder.path()).state, LockOwner::State::kAtWork) << text;
  }
}

// Asking takes no lock, not even for a moment.
TEST(LockOwnerTest, IsFoundWithoutDisturbingWhoComesNext) {
  const TemporaryFolder folder;
  const pid_t child = ::fork();
  if (child == 0) {
    while (true) FindLockOwner(folder.path());
  }
  ASSERT_GT(child, 0);
  for (int i = 0; i < 200; ++i) EXPECT_NO_THROW(FolderLock(folder.path()));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

TEST(FolderLockTest, NeedsAFolder) {
  const TemporaryFolder folder;
  EXPECT_EQ(KindOfLocking(folder / "none"), ErrorKind::kCannotCreate);
}

}  // namespace
}  // namespace rhohat
