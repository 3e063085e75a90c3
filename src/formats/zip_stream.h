// Members of a zip archive as streams of bytes.
//
// Names of members are only ever compared and shown, never used as paths. What an archive says of a
// member's size and checksum is checked when the member was read to its end.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "formats/byte_stream.h"

struct zip;
struct zip_file;

namespace rhohat {

// Whether a file that starts with these bytes means to be a zip archive.
bool LooksLikeZip(std::span<const std::byte> first_bytes);

// An archive's directory. For one thread at a time, together with the streams of its members.
class ZipArchive : public std::enable_shared_from_this<ZipArchive> {
 public:
  // Throws Error(kNoInput) where there is no such file, Error(kBadData) where it is damaged or no
  // zip archive.
  static std::shared_ptr<ZipArchive> Open(const std::string& path);
  ~ZipArchive();
  ZipArchive(const ZipArchive&) = delete;
  ZipArchive& operator=(const ZipArchive&) = delete;

  const std::string& path() const { return path_; }
  int64_t members() const { return members_; }

  // Memory that the directory takes.
  size_t DirectoryBytes() const { return directory_bytes_; }

  std::string NameOf(int64_t member) const;

  // Messages call it "archive.zip:`name`". Throws Error(kBadData) where the member is encrypted, or
  // packed in other ways than deflate.
  std::unique_ptr<ByteStream> OpenMember(int64_t member, const std::string& name);

 private:
  friend class ZipMemberStream;

  ZipArchive(std::string path, zip* archive);

  std::string path_;
  zip* archive_;
  int64_t members_ = 0;
  uint64_t file_bytes_ = 0;
  size_t directory_bytes_ = 0;
};

}  // namespace rhohat
