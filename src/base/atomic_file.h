// A file that appears under its final name whole, or not at all.
//
// Bytes go to a temporary name in the same folder; Commit() flushes them to the disk, renames, and
// flushes the folder. A file that was never committed is deleted. So a reader, or a run that comes
// after a crash, never sees half a file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace rhohat {

// Where a path leads: the end of its links, so that an output replaces the file and not the link.
std::filesystem::path FollowLinks(const std::filesystem::path& path);

// Throws Error(kNoInput) where `path` does not exist or is not a file: opening a pipe would wait
// for its writer.
void CheckIsFile(const std::filesystem::path& path);

// The temporary name that an output is built under: same folder, with the process's id.
std::filesystem::path TemporaryNameFor(const std::filesystem::path& path);

// Throws Error(kCannotCreate) where `path` could not be created: its folder is missing or may not
// be written, or it exists and is no regular file. For long jobs: ask before the work, not after.
void CheckCreatable(const std::filesystem::path& path);

// Throws Error(kCannotCreate) where `path` exists and `is_kind` says no of it, or throws Error: an
// output takes the place of an empty file, or of an earlier one of its own kind, and of nothing
// else. `kind` is for the message.
void CheckReplacesOnly(const std::filesystem::path& path, std::string_view kind,
                       const std::function<bool(const std::string& path)>& is_kind);

// Throws Error(kUsage) where `output` is one of `inputs`, by whatever name or link.
void CheckNotAnInput(const std::filesystem::path& output, std::span<const std::string> inputs);

// Flushes `temporary` to disk, renames it to `path` and flushes the folder. On failure deletes
// `temporary` and throws Error(kIo); Error(kCannotCreate) where `path` exists, which somebody else
// may have made meanwhile, and may not be replaced.
void PublishFile(const std::filesystem::path& temporary, const std::filesystem::path& path,
                 bool replace = true);

// Flushes a folder's entries to disk: for what was created in it. Throws Error(kIo).
void SyncFolder(const std::filesystem::path& folder);

// A write that fails abandons the file: everything after it throws Error(kIo). Not thread-safe.
class AtomicFile {
 public:
  explicit AtomicFile(const std::filesystem::path& path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void Write(std::span<const std::byte> bytes);
  void Write(std::string_view text);
  void Commit();

 private:
  void Abandon();
  void CheckOpen() const;

  std::filesystem::path path_;
  std::filesystem::path temporary_;
  int descriptor_ = -1;
};

// A file that grows line by line and must not lose what it has: metrics and logs. Each Append
// reaches the operating system before it returns.
class AppendFile {
 public:
  explicit AppendFile(std::filesystem::path path);
  // Begins by cutting the file to `bytes`, which it has at least.
  AppendFile(std::filesystem::path path, uint64_t bytes);
  ~AppendFile();
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;

  void Append(std::string_view text);

  // Has the operating system put everything on the disk. Returns the file's length.
  uint64_t Sync();

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
};

// The whole file. Throws Error(kNoInput) where it cannot be opened, Error(kIo) where it cannot be
// read.
std::string ReadWholeFile(const std::filesystem::path& path);

}  // namespace rhohat
