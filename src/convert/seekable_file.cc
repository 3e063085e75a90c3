#include "convert/seekable_file.h"

#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/text.h"
#include "rhohat/error.h"

namespace rhohat {

SeekableFile::SeekableFile(int descriptor, std::string path)
    : descriptor_(descriptor), path_(std::move(path)) {
  struct stat status = {};
  if (::fstat(descriptor_, &status) == 0) bytes_ = static_cast<uint64_t>(status.st_size);
}

SeekableFile::~SeekableFile() { ::close(descriptor_); }

void SeekableFile::ReadAt(uint64_t offset, std::span<std::byte> out) const {
  size_t filled = 0;
  while (filled < out.size()) {
    const ssize_t got = ::pread(descriptor_, out.data() + filled, out.size() - filled,
                                static_cast<off_t>(offset + filled));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      throw Error(ErrorKind::kIo, fmt::format("{}: cannot read: {}", path_, ErrnoText(errno)));
    }
    if (got == 0) {
      throw Error(ErrorKind::kBadData,
                  fmt::format("{}: expected {} bytes, as when it was opened, found {}: the file is "
                              "cut short",
                              path_, bytes_, offset + filled));
    }
    filled += static_cast<size_t>(got);
  }
}

}  // namespace rhohat
