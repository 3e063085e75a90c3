#include "formats/byte_stream.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>
#include <utility>

#include "base/text.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

constexpr size_t kPackedBytes = size_t{256} << 10;
constexpr size_t kInflateBytes = size_t{48} << 10;  // zlib's window and tables
constexpr int kGzipWindowBits = 15 + 16;            // the largest window; + 16 asks for gzip

// The shortest code of deflate: two bits for 258 bytes.
constexpr uint64_t kMostBytesPerPackedByte = 1032;

}  // namespace

void FileStream::EndInflate::operator()(z_stream_s* stream) const {
  inflateEnd(stream);
  delete stream;
}

FileStream::FileStream(std::string path) : ByteStream(std::move(path)) {
  Open();
  try {
    StartGzipIfPacked();
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
}

FileStream::~FileStream() { ::close(descriptor_); }

void FileStream::Open() {
  // Without O_NONBLOCK the opening of a pipe that nobody writes to would hang.
  descriptor_ = ::open(path().c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor_ < 0) {
    throw Error(ErrorKind::kNoInput, fmt::format("{}: cannot open: {}", path(), ErrnoText(errno)));
  }
  struct stat status = {};
  const bool known = ::fstat(descriptor_, &status) == 0;
  if (!known || !S_ISREG(status.st_mode)) {
    const char* found = known && S_ISDIR(status.st_mode) ? "a folder" : "something else";
    ::close(descriptor_);
    throw Error(ErrorKind::kNoInput, fmt::format("{}: expected a file, found {}", path(), found));
  }
  file_bytes_ = static_cast<uint64_t>(status.st_size);
}

void FileStream::StartGzipIfPacked() {
  std::array<std::byte, 2> magic = {};
  const ssize_t got = ::pread(descriptor_, magic.data(), magic.size(), 0);
  const bool packed =
      got == std::ssize(magic) && magic[0] == std::byte{0x1f} && magic[1] == std::byte{0x8b};
  if (packed) {
    auto stream = std::make_unique<z_stream>();
    if (inflateInit2(stream.get(), kGzipWindowBits) != Z_OK) throw std::bad_alloc();
    inflater_.reset(stream.release());
    packed_.resize(kPackedBytes);
  }
}

void FileStream::Rewind() {
  if (::lseek(descriptor_, 0, SEEK_SET) != 0) {
    throw Error(ErrorKind::kIo, fmt::format("{}: cannot rewind: {}", path(), ErrnoText(errno)));
  }
  if (inflater_) inflater_->avail_in = 0;
  inside_member_ = false;
  members_done_ = 0;
}

std::optional<uint64_t> FileStream::ContentBytes() const {
  if (gzipped()) return std::nullopt;
  return file_bytes_;
}

uint64_t FileStream::MostContentBytes() const {
  uint64_t most = file_bytes_;
  if (gzipped() && __builtin_mul_overflow(file_bytes_, kMostBytesPerPackedByte, &most)) {
    return UINT64_MAX;
  }
  return most;
}

size_t FileStream::BufferBytes() const { return gzipped() ? kPackedBytes + kInflateBytes : 0; }

size_t FileStream::Read(std::span<std::byte> out) {
  return gzipped() ? ReadGzip(out) : ReadFile(out);
}

size_t FileStream::ReadFile(std::span<std::byte> out) {
  size_t filled = 0;
  while (filled < out.size()) {
    const ssize_t got = ::read(descriptor_, out.data() + filled, out.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      throw Error(ErrorKind::kIo, fmt::format("{}: cannot read: {}", path(), ErrnoText(errno)));
    }
    if (got == 0) break;
    filled += static_cast<size_t>(got);
  }
  CountRead(filled);
  return filled;
}

size_t FileStream::ReadGzip(std::span<std::byte> out) {
  size_t filled = 0;
  while (filled < out.size()) {
    if (inflater_->avail_in == 0 && !Refill()) {
      if (!inside_member_) break;
      throw Error(ErrorKind::kBadData,
                  fmt::format("{}: expected more gzip data, found the end of the file after {} "
                              "bytes: it is cut short",
                              path(), file_bytes_));
    }
    filled += Inflate(out.subspan(filled));
  }
  return filled;
}

bool FileStream::Refill() {
  const size_t got = ReadFile(packed_);
  inflater_->next_in = reinterpret_cast<Bytef*>(packed_.data());
  inflater_->avail_in = static_cast<uInt>(got);
  return got > 0;
}

// Unpacks some bytes, perhaps none, and checks a member's checksum and length when it ends.
size_t FileStream::Inflate(std::span<std::byte> out) {
  if (!inside_member_) {
    inflateReset(inflater_.get());
    inside_member_ = true;
  }
  const size_t room = std::min(out.size(), size_t{1} << 30);  // zlib counts in 32 bits
  inflater_->next_out = reinterpret_cast<Bytef*>(out.data());
  inflater_->avail_out = static_cast<uInt>(room);
  const int status = inflate(inflater_.get(), Z_NO_FLUSH);
  if (status == Z_MEM_ERROR) throw std::bad_alloc();
  if (status != Z_OK && status != Z_STREAM_END) ThrowDamaged();
  if (status == Z_STREAM_END) {
    inside_member_ = false;
    ++members_done_;
  }
  return room - inflater_->avail_out;
}

void FileStream::ThrowDamaged() const {
  if (members_done_ > 0 && inflater_->total_out == 0) {
    throw Error(ErrorKind::kBadData,
                fmt::format("{}: expected the end of the file after its gzip data, found more "
                            "bytes that are not gzip",
                            path()));
  }
  const char* reason = inflater_->msg != nullptr ? inflater_->msg : "no reason given";
  throw Error(ErrorKind::kBadData,
              fmt::format("{}: its gzip data is damaged ({})", path(), reason));
}

uint64_t Skip(ByteStream& stream, uint64_t count) {
  std::vector<std::byte> buffer(std::min<uint64_t>(count, kPackedBytes));
  uint64_t skipped = 0;
  while (skipped < count) {
    const size_t wanted = std::min<uint64_t>(count - skipped, buffer.size());
    const size_t got = stream.Read(std::span(buffer).first(wanted));
    skipped += got;
    if (got < wanted) break;
  }
  return skipped;
}

}  // namespace rhohat
