#include "formats/zip_stream.h"

#include <fmt/core.h>
#include <zip.h>

#include <algorithm>
#include <filesystem>
#include <new>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/atomic_file.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

// libzip's buffers, and zlib's window and tables.
constexpr size_t kMemberBytes = size_t{96} << 10;
// libzip's record of a member, and its entry in the table of names; the name itself is there twice.
constexpr size_t kRecordBytes = 320;

// The shortest code of deflate: two bits for 258 bytes.
constexpr uint64_t kMostBytesPerPackedByte = 1032;

[[noreturn]] void Throw(int code, const std::string& message) {
  if (code == ZIP_ER_MEMORY) throw std::bad_alloc();
  if (code == ZIP_ER_OPEN || code == ZIP_ER_NOENT) throw Error(ErrorKind::kNoInput, message);
  if (code == ZIP_ER_READ) throw Error(ErrorKind::kIo, message);
  throw Error(ErrorKind::kBadData, message);
}

[[noreturn]] void Throw(zip_error_t* error, const std::string& path, const char* what) {
  Throw(zip_error_code_zip(error),
        fmt::format("{}: {}: {}", path, what, zip_error_strerror(error)));
}

struct Member {
  zip_uint64_t index = 0;
  uint64_t bytes = 0;
  uint64_t packed_bytes = 0;
  bool stored = false;  // as it is
};

}  // namespace

class ZipMemberStream final : public ByteStream {
 public:
  ZipMemberStream(std::shared_ptr<ZipArchive> archive, const Member& member, std::string path)
      : ByteStream(std::move(path)), archive_(std::move(archive)), member_(member) {
    Open();
  }
  ~ZipMemberStream() override { zip_fclose(file_); }

  size_t Read(std::span<std::byte> out) override {
    size_t filled = 0;
    while (filled < out.size()) {
      const zip_int64_t got = zip_fread(file_, out.data() + filled, out.size() - filled);
      if (got < 0) Throw(zip_file_get_error(file_), path(), "cannot unpack it");
      if (got == 0) break;
      filled += static_cast<size_t>(got);
    }
    CountContent(filled);
    return filled;
  }

  void Rewind() override {
    zip_fclose(std::exchange(file_, nullptr));
    Open();
  }

  std::optional<uint64_t> ContentBytes() const override { return member_.bytes; }
  uint64_t StoredBytes() const override { return member_.packed_bytes; }
  uint64_t MostContentBytes() const override {
    uint64_t most = member_.packed_bytes;
    if (!member_.stored && __builtin_mul_overflow(most, kMostBytesPerPackedByte, &most)) {
      return UINT64_MAX;
    }
    return most;
  }
  size_t BufferBytes() const override { return kMemberBytes + archive_->DirectoryBytes(); }

 private:
  void Open() {
    content_done_ = 0;
    packed_done_ = 0;
    file_ = zip_fopen_index(archive_->archive_, member_.index, 0);
    if (file_ == nullptr) Throw(zip_get_error(archive_->archive_), path(), "cannot open it");
  }

  // libzip does not say what it read: as much of the packed bytes as of the content.
  void CountContent(size_t bytes) {
    content_done_ += bytes;
    const double done = member_.bytes == 0 ? 1
                                           : static_cast<double>(content_done_) /
                                                 static_cast<double>(member_.bytes);
    const uint64_t packed =
        done >= 1 ? member_.packed_bytes
                  : static_cast<uint64_t>(done * static_cast<double>(member_.packed_bytes));
    CountRead(packed - packed_done_);
    packed_done_ = packed;
  }

  std::shared_ptr<ZipArchive> archive_;
  Member member_;
  zip_file* file_ = nullptr;
  uint64_t content_done_ = 0;
  uint64_t packed_done_ = 0;
};

bool LooksLikeZip(std::span<const std::byte> first_bytes) {
  // A first member, or an archive without any.
  for (const std::string_view magic : {"PK\x03\x04", "PK\x05\x06"}) {
    if (first_bytes.size() >= magic.size() &&
        std::ranges::equal(std::as_bytes(std::span(magic)), first_bytes.first(magic.size()))) {
      return true;
    }
  }
  return false;
}

std::shared_ptr<ZipArchive> ZipArchive::Open(const std::string& path) {
  CheckIsFile(path);  // libzip would wait for the writer of a pipe
  int code = 0;
  zip* const archive = zip_open(path.c_str(), ZIP_RDONLY, &code);
  if (archive == nullptr) {
    zip_error_t error;
    zip_error_init_with_code(&error, code);
    const std::string message =
        fmt::format("{}: cannot read it as a zip archive: {}", path, zip_error_strerror(&error));
    zip_error_fini(&error);
    Throw(code, message);
  }
  return std::shared_ptr<ZipArchive>(new ZipArchive(path, archive));
}

ZipArchive::ZipArchive(std::string path, zip* archive)
    : path_(std::move(path)), archive_(archive), members_(zip_get_num_entries(archive, 0)) {
  std::error_code ignored;
  file_bytes_ = std::filesystem::file_size(path_, ignored);
  for (int64_t i = 0; i < members_; ++i) directory_bytes_ += kRecordBytes + 2 * NameOf(i).size();
}

ZipArchive::~ZipArchive() { zip_discard(archive_); }

std::string ZipArchive::NameOf(int64_t member) const {
  const char* const name = zip_get_name(archive_, static_cast<zip_uint64_t>(member), 0);
  return name != nullptr ? name : "";
}

std::unique_ptr<ByteStream> ZipArchive::OpenMember(int64_t member, const std::string& name) {
  const std::string path = fmt::format("{}:{}", path_, name);
  zip_stat_t status;
  if (zip_stat_index(archive_, static_cast<zip_uint64_t>(member), 0, &status) != 0) {
    Throw(zip_get_error(archive_), path, "cannot find it");
  }
  if (status.encryption_method != ZIP_EM_NONE) {
    throw Error(ErrorKind::kBadData,
                fmt::format("{}: is encrypted; unpack the archive first", path));
  }
  if (status.comp_size > file_bytes_) {
    throw Error(ErrorKind::kBadData, fmt::format("{}: expected {} bytes of packed data, found an "
                                                 "archive of {}: it is cut short",
                                                 path, status.comp_size, file_bytes_));
  }
  // Others exist, whose windows may take gigabytes.
  if (status.comp_method != ZIP_CM_STORE && status.comp_method != ZIP_CM_DEFLATE) {
    throw Error(ErrorKind::kBadData, fmt::format("{}: expected data stored as it is or packed by "
                                                 "deflate, found method {}; unpack the archive "
                                                 "first",
                                                 path, status.comp_method));
  }
  const Member found = {.index = static_cast<zip_uint64_t>(member),
                        .bytes = status.size,
                        .packed_bytes = status.comp_size,
                        .stored = status.comp_method == ZIP_CM_STORE};
  return std::make_unique<ZipMemberStream>(shared_from_this(), found, path);
}

}  // namespace rhohat
