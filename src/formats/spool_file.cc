#include "formats/spool_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include "base/text.h"
#include "base/units.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

// -1 and errno where it fails.
int OpenNameless(const std::string& folder) {
  const int descriptor =
      ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, S_IRUSR | S_IWUSR);
  // File systems, or kernels, that know no O_TMPFILE.
  if (descriptor >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)) {
    return descriptor;
  }
  std::string name = folder + "/.rhohat-XXXXXX";
  const int named = ::mkostemp(name.data(), O_CLOEXEC);
  if (named >= 0) ::unlink(name.c_str());
  return named;
}

// Better told now than after an hour of unpacking.
void CheckSpace(const std::string& folder, uint64_t needed) {
  struct statvfs status = {};
  if (::statvfs(folder.c_str(), &status) != 0 || status.f_blocks == 0) return;
  uint64_t free = 0;
  if (__builtin_mul_overflow(status.f_bavail, status.f_frsize, &free) || free >= needed) return;
  throw Error(ErrorKind::kIo, fmt::format("{}: expected {} of space for a temporary file, found {}",
                                          folder, FormatBytes(needed), FormatBytes(free)));
}

}  // namespace

SpoolFile::SpoolFile(std::string folder, uint64_t bytes)
    : folder_(folder.empty() ? "." : std::move(folder)), descriptor_(OpenNameless(folder_)) {
  if (descriptor_ < 0) {
    throw Error(ErrorKind::kCannotCreate,
                fmt::format("{}: cannot create a temporary file: {}", folder_, ErrnoText(errno)));
  }
  try {
    CheckSpace(folder_, bytes);
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
}

SpoolFile::~SpoolFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void SpoolFile::Append(std::span<const std::byte> bytes) {
  WriteAt(appended_, bytes);
  appended_ += bytes.size();
}

void SpoolFile::WriteAt(uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t put =
        ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) {
      throw Error(ErrorKind::kIo,
                  fmt::format("{}: cannot write a temporary file: {}", folder_, ErrnoText(errno)));
    }
    bytes = bytes.subspan(static_cast<size_t>(put));
    offset += static_cast<uint64_t>(put);
  }
}

std::unique_ptr<InputFile> SpoolFile::Finish(const std::string& path) {
  return std::make_unique<InputFile>(std::exchange(descriptor_, -1), path);
}

std::unique_ptr<InputFile> SpoolRest(ByteStream& stream, uint64_t count,
                                     const std::string& folder) {
  SpoolFile spool(folder, count);
  std::vector<std::byte> buffer(std::min<uint64_t>(count, kSpoolBufferBytes));
  for (uint64_t done = 0; done < count;) {
    const auto wanted = std::span(buffer).first(std::min<uint64_t>(count - done, buffer.size()));
    const size_t got = stream.Read(wanted);
    spool.Append(wanted.first(got));
    done += got;
    if (got < wanted.size()) {
      throw Error(ErrorKind::kBadData,
                  fmt::format("{}: expected {} bytes of elements, found {}: the file is cut short",
                              stream.path(), count, done));
    }
  }
  std::array<std::byte, 1> next = {};
  if (stream.Read(next) == 0) return spool.Finish(stream.path());
  throw Error(ErrorKind::kBadData,
              fmt::format("{}: expected {} bytes of elements, found more: the file goes on after "
                          "its rows",
                          stream.path(), count));
}

}  // namespace rhohat
