#include "base/positional_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/atomic_file.h"
#include "base/text.h"
#include "rhohat/error.h"

namespace rhohat {

PositionalFile::PositionalFile(std::string path) : path_(std::move(path)) {
  CheckIsFile(path_);
  descriptor_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0) {
    throw Error(ErrorKind::kNoInput, fmt::format("{}: cannot open: {}", path_, ErrnoText(errno)));
  }
  struct stat state = {};
  if (::fstat(descriptor_, &state) != 0) {
    const int code = errno;
    ::close(descriptor_);
    throw Error(ErrorKind::kIo, fmt::format("{}: cannot read: {}", path_, ErrnoText(code)));
  }
  bytes_ = static_cast<uint64_t>(state.st_size);
  modified_nanoseconds_ = state.st_mtim.tv_sec * int64_t{1000000000} + state.st_mtim.tv_nsec;
  // Asks for a larger window of reading ahead; whether it is granted does not matter.
  static_cast<void>(::posix_fadvise(descriptor_, 0, 0, POSIX_FADV_SEQUENTIAL));
}

PositionalFile::~PositionalFile() { ::close(descriptor_); }

void PositionalFile::ReadAt(uint64_t offset, std::span<std::byte> out) const {
  while (!out.empty()) {
    const ssize_t got =
        ::pread(descriptor_, out.data(), out.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      throw Error(ErrorKind::kIo, fmt::format("{}: cannot read: {}", path_, ErrnoText(errno)));
    }
    if (got == 0) {
      throw Error(ErrorKind::kBadData,
                  fmt::format("{}: is cut short: expected {} more bytes at offset {}", path_,
                              out.size(), offset));
    }
    out = out.subspan(static_cast<size_t>(got));
    offset += static_cast<uint64_t>(got);
  }
}

}  // namespace rhohat
