#include "convert/bucket_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/text.h"
#include "base/units.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

uint64_t RoundUp(uint64_t bytes) {
  return (bytes + kBucketAlignment - 1) / kBucketAlignment * kBucketAlignment;
}

// Reserves the space, or returns the reason why that cannot be. Some file systems cannot reserve;
// there a full disk is noticed when it is full.
int Reserve(int descriptor, uint64_t bytes) {
  const auto size = static_cast<off_t>(bytes);
  int result = 0;
  do {
    result = ::fallocate(descriptor, 0, 0, size);
  } while (result != 0 && errno == EINTR);
  if (result == 0) return 0;
  if (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL) return errno;
  return ::ftruncate(descriptor, size) == 0 ? 0 : errno;
}

}  // namespace

BucketLayout::BucketLayout(const std::vector<int64_t>& counts, size_t row_bytes)
    : row_bytes_(row_bytes), first_rows_{0}, offsets_{0} {
  first_rows_.reserve(counts.size() + 1);
  offsets_.reserve(counts.size() + 1);
  for (const int64_t count : counts) {
    most_rows_ = std::max(most_rows_, count);
    first_rows_.push_back(first_rows_.back() + count);
    offsets_.push_back(offsets_.back() + RoundUp(static_cast<uint64_t>(count) * record_bytes()));
  }
}

size_t BucketLayout::BucketAt(int64_t shuffled_row) const {
  const auto after = std::upper_bound(first_rows_.begin(), first_rows_.end(), shuffled_row);
  return static_cast<size_t>(after - first_rows_.begin()) - 1;
}

BucketFile BucketFile::Create(const std::filesystem::path& path, uint64_t bytes) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor < 0) {
    throw Error(ErrorKind::kCannotCreate,
                fmt::format("{}: cannot create: {}", path.string(), ErrnoText(errno)));
  }
  BucketFile file(path, descriptor);
  const int failure = Reserve(descriptor, bytes);
  if (failure != 0) {
    throw Error(ErrorKind::kIo, fmt::format("{}: cannot reserve {} of disk: {}", path.string(),
                                            FormatBytes(bytes), ErrnoText(failure)));
  }
  return file;
}

BucketFile BucketFile::Open(const std::filesystem::path& path, uint64_t bytes) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor < 0) {
    throw Error(ErrorKind::kBadData,
                fmt::format("{}: expected the rows dealt by an interrupted run, cannot open: {}; "
                            "--restart starts anew",
                            path.string(), ErrnoText(errno)));
  }
  BucketFile file(path, descriptor);
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) file.ThrowIo("cannot look at it", errno);
  if (static_cast<uint64_t>(status.st_size) != bytes) {
    throw Error(ErrorKind::kBadData,
                fmt::format("{}: expected {} bytes, found {}; --restart starts anew", path.string(),
                            bytes, status.st_size));
  }
  return file;
}

BucketFile::BucketFile(BucketFile&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

BucketFile::~BucketFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void BucketFile::ThrowIo(const char* doing, int code) const {
  throw Error(ErrorKind::kIo, fmt::format("{}: {}: {}", path_.string(), doing, ErrnoText(code)));
}

void BucketFile::WriteAt(uint64_t offset, std::span<const std::byte> bytes) const {
  const uint64_t begin = offset;
  while (!bytes.empty()) {
    const ssize_t written =
        ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) ThrowIo("cannot write", written < 0 ? errno : ENOSPC);
    bytes = bytes.subspan(static_cast<size_t>(written));
    offset += static_cast<uint64_t>(written);
  }
  // The disk begins at once, so that Flush() has little to wait for. Where that cannot be, it
  // waits.
  static_cast<void>(::sync_file_range(descriptor_, static_cast<off_t>(begin),
                                      static_cast<off_t>(offset - begin), SYNC_FILE_RANGE_WRITE));
}

void BucketFile::ReadAt(uint64_t offset, std::span<std::byte> out) const {
  while (!out.empty()) {
    const ssize_t got = ::pread(descriptor_, out.data(), out.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) ThrowIo("cannot read", errno);
    if (got == 0) {
      throw Error(ErrorKind::kIo, fmt::format("{}: has become shorter", path_.string()));
    }
    out = out.subspan(static_cast<size_t>(got));
    offset += static_cast<uint64_t>(got);
  }
}

void BucketFile::Forget(uint64_t offset, uint64_t bytes) const {
  static_cast<void>(::posix_fadvise(descriptor_, static_cast<off_t>(offset),
                                    static_cast<off_t>(bytes), POSIX_FADV_DONTNEED));
}

void BucketFile::Flush() const {
  if (::fdatasync(descriptor_) != 0) ThrowIo("cannot bring the rows to the disk", errno);
}

BucketWriter::BucketWriter(const BucketFile& file, const BucketLayout& layout,
                           const ShuffleKeys& keys, const std::vector<int64_t>& counts,
                           size_t buffer_bytes)
    : file_(file),
      layout_(layout),
      keys_(keys),
      buffer_bytes_(buffer_bytes),
      buffers_(layout.buckets()),
      memory_(layout.buckets() * buffer_bytes) {
  for (size_t bucket = 0; bucket < buffers_.size(); ++bucket) {
    buffers_[bucket].offset =
        layout.offset(bucket) + static_cast<uint64_t>(counts[bucket]) * layout.record_bytes();
  }
}

void BucketWriter::Append(int64_t first_row, std::span<const std::byte> rows) {
  for (int64_t row = first_row; !rows.empty(); ++row) {
    const size_t bucket = BucketOf(keys_.Key(row), buffers_.size());
    Put(bucket, std::as_bytes(std::span(&row, 1)));
    Put(bucket, rows.first(layout_.row_bytes()));
    rows = rows.subspan(layout_.row_bytes());
  }
}

void BucketWriter::Put(size_t bucket, std::span<const std::byte> bytes) {
  Buffer& buffer = buffers_[bucket];
  std::byte* memory = memory_.data() + bucket * buffer_bytes_;
  while (!bytes.empty()) {
    // A buffer that begins within a page ends with one, so that all after it are whole pages.
    const size_t room = buffer_bytes_ - buffer.offset % kBucketAlignment - buffer.filled;
    const size_t taken = std::min(room, bytes.size());
    std::memcpy(memory + buffer.filled, bytes.data(), taken);
    buffer.filled += taken;
    if (taken == room) Write(bucket);
    bytes = bytes.subspan(taken);
  }
}

void BucketWriter::Write(size_t bucket) {
  Buffer& buffer = buffers_[bucket];
  file_.WriteAt(buffer.offset, {memory_.data() + bucket * buffer_bytes_, buffer.filled});
  buffer.offset += buffer.filled;
  buffer.filled = 0;
}

void BucketWriter::WriteOut() {
  for (size_t bucket = 0; bucket < buffers_.size(); ++bucket) {
    if (buffers_[bucket].filled > 0) Write(bucket);
  }
}

}  // namespace rhohat
