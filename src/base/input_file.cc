#include "base/input_file.h"

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

InputFile::InputFile(std::string path) : path_(std::move(path)) {
  CheckIsFile(path_);
  // Without O_NONBLOCK the opening of a pipe that has just taken the file's place would hang.
  descriptor_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor_ < 0) {
    throw Error(ErrorKind::kNoInput, fmt::format("{}: cannot open: {}", path_, ErrnoText(errno)));
  }
  ReadState();
  // Asks for a larger window of reading ahead; whether it is granted does not matter.
  static_cast<void>(::posix_fadvise(descriptor_, 0, 0, POSIX_FADV_SEQUENTIAL));
}

InputFile::InputFile(int descriptor, std::string path)
    : path_(std::move(path)), descriptor_(descriptor) {
  ReadState();
}

InputFile::InputFile(InputFile&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(other.Release()),
      bytes_(other.bytes_),
      modified_nanoseconds_(other.modified_nanoseconds_) {}

InputFile::~InputFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void InputFile::ReadState() {
  struct stat state = {};
  if (::fstat(descriptor_, &state) != 0) {
    const int code = errno;
    ::close(Release());
    throw Error(ErrorKind::kIo, fmt::format("{}: cannot read: {}", path_, ErrnoText(code)));
  }
  bytes_ = static_cast<uint64_t>(state.st_size);
  modified_nanoseconds_ = state.st_mtim.tv_sec * int64_t{1000000000} + state.st_mtim.tv_nsec;
}

void InputFile::ReadAt(uint64_t offset, std::span<std::byte> out) const {
  while (!out.empty()) {
    const ssize_t got = ::pread(descriptor_, out.data(), out.size(), static_cast<off_t>(offset));
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
