#include "base/atomic_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <functional>

#include "rhohat/error.h"
#include "tests/support/file_size_limit.h"
#include "tests/support/temporary_folder.h"

namespace rhohat {
namespace {

namespace fs = std::filesystem;

ErrorKind KindThrownBy(const std::function<void()>& function) {
  try {
    function();
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    return error.kind();
  }
  ADD_FAILURE() << "nothing was thrown";
  return ErrorKind::kInternal;
}

void Put(const std::string& path, std::string_view text) {
  AtomicFile file(path);
  file.Write(text);
  file.Commit();
}

TEST(AtomicFile, AppearsWholeOnCommit) {
  const TemporaryFolder folder;
  const std::string path = folder / "out";
  AtomicFile file(path);
  file.Write("first, ");
  file.Write("second");
  EXPECT_FALSE(fs::exists(path));
  file.Commit();
  EXPECT_EQ(ReadWholeFile(path), "first, second");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 1);
}

TEST(AtomicFile, LeavesNothingWhenAbandoned) {
  const TemporaryFolder folder;
  {
    AtomicFile file(folder / "out");
    file.Write("half of it");
  }
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(AtomicFile, LeavesTheOldFileUntilCommit) {
  const TemporaryFolder folder;
  const std::string path = folder / "out";
  Put(path, "old");
  {
    AtomicFile file(path);
    file.Write("abandoned");
    EXPECT_EQ(ReadWholeFile(path), "old");
  }
  EXPECT_EQ(ReadWholeFile(path), "old");
  Put(path, "new");
  EXPECT_EQ(ReadWholeFile(path), "new");
}

TEST(AtomicFile, FailsAtAFullDiskAndLeavesNothing) {
  const TemporaryFolder folder;
  const std::string path = folder / "out";
  Put(path, "old");
  {
    const FileSizeLimit limit(4096);
    AtomicFile file(path);
    EXPECT_EQ(KindThrownBy([&] { file.Write(std::string(10'000, 'x')); }), ErrorKind::kIo);
  }
  EXPECT_EQ(ReadWholeFile(path), "old");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 1);
}

TEST(AtomicFile, CannotBeCommittedAfterAFailedWrite) {
  const TemporaryFolder folder;
  AtomicFile file(folder / "out");
  {
    const FileSizeLimit limit(4096);
    EXPECT_THROW(file.Write(std::string(10'000, 'x')), Error);
  }
  EXPECT_EQ(KindThrownBy([&] { file.Write("more"); }), ErrorKind::kIo);
  EXPECT_EQ(KindThrownBy([&] { file.Commit(); }), ErrorKind::kIo);
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(AtomicFile, RefusesWhatCannotBeCreated) {
  const TemporaryFolder folder;
  Put(folder / "file", "");
  for (const std::string& path : {folder / "missing/out", folder / "file/out", folder / "."}) {
    EXPECT_EQ(KindThrownBy([&] { AtomicFile file(path); }), ErrorKind::kCannotCreate) << path;
    EXPECT_EQ(KindThrownBy([&] { CheckCreatable(path); }), ErrorKind::kCannotCreate) << path;
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 1);
}

TEST(AtomicFile, NeverReplacesWhatIsNotAFile) {
  const TemporaryFolder folder;
  const std::string pipe = folder / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(KindThrownBy([&] { AtomicFile file(pipe); }), ErrorKind::kCannotCreate);
  EXPECT_TRUE(fs::is_fifo(pipe));
}

TEST(CheckCreatable, LeavesNoTrace) {
  const TemporaryFolder folder;
  CheckCreatable(folder / "out");
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(PublishFile, GivesABuiltFileItsName) {
  const TemporaryFolder folder;
  const std::string path = folder / "out";
  const fs::path temporary = TemporaryNameFor(path);
  EXPECT_EQ(temporary.parent_path(), folder.path());
  Put(temporary, "built by somebody else");
  PublishFile(temporary, path);
  EXPECT_EQ(ReadWholeFile(path), "built by somebody else");
  EXPECT_FALSE(fs::exists(temporary));
}

TEST(PublishFile, DeletesTheTemporaryFileWhereItFails) {
  const TemporaryFolder folder;
  fs::create_directories(folder / "taken/by a folder");
  const fs::path temporary = TemporaryNameFor(folder / "taken");
  Put(temporary, "x");
  EXPECT_EQ(KindThrownBy([&] { PublishFile(temporary, folder / "taken"); }), ErrorKind::kIo);
  EXPECT_FALSE(fs::exists(temporary));
}

TEST(AppendFile, KeepsWhatIsThereAndShowsEachLineAtOnce) {
  const TemporaryFolder folder;
  const std::string path = folder / "log";
  Put(path, "before\n");
  AppendFile file(path);
  file.Append("one\n");
  EXPECT_EQ(ReadWholeFile(path), "before\none\n");
  file.Append("two\n");
  EXPECT_EQ(ReadWholeFile(path), "before\none\ntwo\n");
}

TEST(AppendFile, FailsAtAFullDisk) {
  const TemporaryFolder folder;
  AppendFile file(folder / "log");
  const FileSizeLimit limit(100);
  file.Append(std::string(90, 'x'));
  EXPECT_EQ(KindThrownBy([&] { file.Append(std::string(20, 'x')); }), ErrorKind::kIo);
}

TEST(ReadWholeFile, TellsAMissingFileFromAnUnreadableOne) {
  const TemporaryFolder folder;
  EXPECT_EQ(KindThrownBy([&] { ReadWholeFile(folder / "missing"); }), ErrorKind::kNoInput);
  EXPECT_EQ(KindThrownBy([&] { ReadWholeFile(folder.path()); }), ErrorKind::kIo);
}

TEST(ReadWholeFile, ReadsFilesLargerThanItsBuffer) {
  const TemporaryFolder folder;
  const std::string content(3'000'001, 'q');
  Put(folder / "large", content);
  EXPECT_EQ(ReadWholeFile(folder / "large"), content);
}

TEST(PublishFileTest, DoesNotReplaceWhatSomebodyElseMadeMeanwhileUnlessToldTo) {
  const TemporaryFolder folder;
  const std::string temporary = folder / "temporary";
  const std::string path = folder / "out";
  std::ofstream(temporary) << "ours";
  std::ofstream(path) << "theirs";
  try {
    PublishFile(temporary, path, false);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCannotCreate);
  }
  EXPECT_EQ(ReadWholeFile(path), "theirs");
  EXPECT_FALSE(std::filesystem::exists(temporary));
  std::ofstream(temporary) << "ours";
  PublishFile(temporary, path, true);
  EXPECT_EQ(ReadWholeFile(path), "ours");
}

}  // namespace
}  // namespace rhohat
