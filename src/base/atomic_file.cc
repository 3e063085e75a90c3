#include "base/atomic_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "base/text.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

[[noreturn]] void ThrowIo(const std::filesystem::path& path, std::string_view doing, int code) {
  throw Error(ErrorKind::kIo, fmt::format("{}: {}: {}", path.string(), doing, ErrnoText(code)));
}

int OpenForWriting(const std::filesystem::path& path, int flags) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0666);
  if (descriptor < 0) {
    throw Error(ErrorKind::kCannotCreate,
                fmt::format("{}: cannot create: {}", path.string(), ErrnoText(errno)));
  }
  return descriptor;
}

void WriteAll(int descriptor, const std::byte* data, size_t size,
              const std::filesystem::path& path) {
  while (size > 0) {
    const ssize_t written = ::write(descriptor, data, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) ThrowIo(path, "cannot write", written < 0 ? errno : ENOSPC);
    data += written;
    size -= static_cast<size_t>(written);
  }
}

std::filesystem::path FolderOf(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

// Flushes a file's or a folder's content to disk; returns errno, 0 for success.
int Flush(const std::filesystem::path& path, int flags) {
  const int descriptor = ::open(path.c_str(), flags | O_CLOEXEC);
  if (descriptor < 0) return errno;
  const int failure = ::fsync(descriptor) == 0 ? 0 : errno;
  ::close(descriptor);
  // Some network file systems cannot flush a folder, and say so: nothing more can be done there.
  return failure == EINVAL && (flags & O_DIRECTORY) != 0 ? 0 : failure;
}

// Whether a file could be made beside `path`; returns errno, 0 for success. Where the file system
// can, it is one without a name, so that a kill leaves nothing.
int TryToCreate(const std::filesystem::path& path) {
  const std::filesystem::path temporary = TemporaryNameFor(path);
  struct stat status {};
  if (::lstat(temporary.c_str(), &status) != 0 && errno != ENOENT) return errno;
  int descriptor = ::open(FolderOf(path).c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
  // File systems, or kernels, that know no O_TMPFILE.
  if (descriptor < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
    descriptor = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor >= 0) ::unlink(temporary.c_str());
  }
  if (descriptor < 0) return errno;
  ::close(descriptor);
  return 0;
}

}  // namespace

std::filesystem::path FollowLinks(const std::filesystem::path& path) {
  std::error_code failed;
  if (!std::filesystem::is_symlink(std::filesystem::symlink_status(path, failed))) return path;
  // weakly_canonical() would stop at a link that leads to nothing yet.
  constexpr int kMostLinks = 40;
  std::filesystem::path end = path;
  for (int links = 0; links < kMostLinks; ++links) {
    end = FolderOf(end) / std::filesystem::read_symlink(end, failed);
    if (failed) return path;
    if (!std::filesystem::is_symlink(std::filesystem::symlink_status(end, failed))) return end;
  }
  return path;
}

void CheckIsFile(const std::filesystem::path& path) {
  std::error_code failed;
  const std::filesystem::file_status status = std::filesystem::status(path, failed);
  if (!std::filesystem::exists(status)) {
    const std::error_code missing = std::make_error_code(std::errc::no_such_file_or_directory);
    throw Error(ErrorKind::kNoInput,
                fmt::format("{}: cannot open: {}", path.empty() ? "''" : path.string(),
                            (failed ? failed : missing).message()));
  }
  if (!std::filesystem::is_regular_file(status)) {
    const std::filesystem::path model = path / "model.safetensors";
    throw Error(
        ErrorKind::kNoInput,
        fmt::format("{}: expected a file, found {}{}", path.string(),
                    std::filesystem::is_directory(status) ? "a folder" : "a pipe or a device",
                    std::filesystem::exists(model, failed)
                        ? fmt::format("; is {} meant?", model.string())
                        : ""));
  }
}

std::filesystem::path TemporaryNameFor(const std::filesystem::path& path) {
  return FolderOf(path) / fmt::format(".{}.{}.part", path.filename().string(), ::getpid());
}

void CheckCreatable(const std::filesystem::path& path) {
  // Renaming would replace a device such as /dev/null by a plain file.
  std::error_code ignored;
  const std::filesystem::file_status status = std::filesystem::status(path, ignored);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    throw Error(ErrorKind::kCannotCreate,
                fmt::format("{}: cannot create: it is {}", path.string(),
                            std::filesystem::is_directory(status) ? "a folder" : "not a file"));
  }
  const int failure = TryToCreate(FollowLinks(path));
  if (failure != 0) {
    throw Error(ErrorKind::kCannotCreate,
                fmt::format("{}: cannot create: {}", path.string(), ErrnoText(failure)));
  }
}

void CheckReplacesOnly(const std::filesystem::path& path, std::string_view kind,
                       const std::function<bool(const std::string& path)>& is_kind) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return;
  if (std::filesystem::is_empty(path, ignored)) return;
  try {
    if (is_kind(path.string())) return;
  } catch (const Error&) {  // what cannot be read is not known to be of the kind
  }
  throw Error(
      ErrorKind::kCannotCreate,
      fmt::format("{}: expected a new name, or {} to replace, found another file; remove it "
                  "or choose another name",
                  path.string(), kind));
}

void CheckNotAnInput(const std::filesystem::path& output, std::span<const std::string> inputs) {
  for (const std::string& input : inputs) {
    std::error_code ignored;
    if (std::filesystem::equivalent(output, input, ignored)) {
      throw Error(
          ErrorKind::kUsage,
          fmt::format("{}: is also an input; choose another name for the output", output.string()));
    }
  }
}

namespace {

// Returns errno, or 0.
int Rename(const std::filesystem::path& from, const std::filesystem::path& to, bool replace) {
  if (replace) return ::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
  // A file system that cannot: the next best is to look first.
  std::error_code ignored;
  return std::filesystem::exists(to, ignored) ? EEXIST : Rename(from, to, true);
}

}  // namespace

void PublishFile(const std::filesystem::path& temporary, const std::filesystem::path& path,
                 bool replace) {
  int failure = Flush(temporary, O_RDWR);
  if (failure == 0) failure = Rename(temporary, path, replace);
  if (failure == EEXIST && !replace) {
    ::unlink(temporary.c_str());
    throw Error(ErrorKind::kCannotCreate,
                fmt::format("{}: was made by another program meanwhile; --force replaces it",
                            path.string()));
  }
  if (failure == 0) failure = Flush(FolderOf(path), O_RDONLY | O_DIRECTORY);
  if (failure != 0) {
    ::unlink(temporary.c_str());
    ThrowIo(path, "cannot bring the file to the disk", failure);
  }
}

void SyncFolder(const std::filesystem::path& folder) {
  if (const int code = Flush(folder, O_RDONLY | O_DIRECTORY); code != 0) {
    ThrowIo(folder, "cannot flush to disk", code);
  }
}

AtomicFile::AtomicFile(const std::filesystem::path& path)
    : path_(FollowLinks(path)), temporary_(TemporaryNameFor(path_)) {
  CheckCreatable(path_);
  descriptor_ = OpenForWriting(temporary_, O_TRUNC);
}

AtomicFile::~AtomicFile() { Abandon(); }

void AtomicFile::Abandon() {
  if (descriptor_ < 0) return;
  ::close(std::exchange(descriptor_, -1));
  ::unlink(temporary_.c_str());
}

void AtomicFile::CheckOpen() const {
  if (descriptor_ < 0) ThrowIo(path_, "cannot write after a failure", EIO);
}

void AtomicFile::Write(std::span<const std::byte> bytes) {
  CheckOpen();
  try {
    WriteAll(descriptor_, bytes.data(), bytes.size(), path_);
  } catch (const Error&) {
    Abandon();  // what is missing now would be missing from the committed file
    throw;
  }
}

void AtomicFile::Write(std::string_view text) { Write(std::as_bytes(std::span(text))); }

void AtomicFile::Commit() {
  CheckOpen();
  const int closed = ::close(std::exchange(descriptor_, -1));
  if (closed != 0) {
    const int code = errno;
    ::unlink(temporary_.c_str());
    ThrowIo(path_, "cannot write", code);
  }
  PublishFile(temporary_, path_);
}

AppendFile::AppendFile(std::filesystem::path path)
    : path_(std::move(path)), descriptor_(OpenForWriting(path_, O_APPEND)) {}

AppendFile::AppendFile(std::filesystem::path path, uint64_t bytes) : AppendFile(std::move(path)) {
  if (::ftruncate(descriptor_, static_cast<off_t>(bytes)) != 0) {
    ThrowIo(path_, "cannot shorten", errno);
  }
}

AppendFile::~AppendFile() { ::close(descriptor_); }

void AppendFile::Append(std::string_view text) {
  WriteAll(descriptor_, std::as_bytes(std::span(text)).data(), text.size(), path_);
}

uint64_t AppendFile::Sync() {
  if (::fsync(descriptor_) != 0) ThrowIo(path_, "cannot flush to disk", errno);
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) ThrowIo(path_, "cannot look at", errno);
  return static_cast<uint64_t>(status.st_size);
}

std::string ReadWholeFile(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    throw Error(ErrorKind::kNoInput,
                fmt::format("{}: cannot open: {}", path.string(), ErrnoText(errno)));
  }
  std::string content;
  std::string buffer(1 << 20, '\0');
  ssize_t got = 0;
  while ((got = ::read(descriptor, buffer.data(), buffer.size())) != 0) {
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      const int code = errno;
      ::close(descriptor);
      ThrowIo(path, "cannot read", code);
    }
    content.append(buffer.data(), static_cast<size_t>(got));
  }
  ::close(descriptor);
  return content;
}

}  // namespace rhohat
