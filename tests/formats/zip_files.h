// Zip archives, built byte by byte, so that they can lie.
#pragma once

#include <zlib.h>

#include <optional>
#include <string>
#include <vector>

#include "tests/formats/test_files.h"

namespace rhohat {

struct ZipMember {
  std::string name;
  std::string content;
  bool deflate = false;
  bool descriptor = false;  // sizes and checksum behind the data, as a writer to a pipe leaves them
  bool zip64 = false;
  bool encrypted = false;
  // What the directory says, where it lies.
  std::optional<uint64_t> claimed_bytes;
  std::optional<uint64_t> claimed_packed_bytes;
  std::optional<uint32_t> claimed_checksum;
  std::optional<uint16_t> claimed_method;
};

// Deflate data without a header.
inline std::string DeflateRaw(std::string_view content) {
  const std::string gzip = Gzip(content);
  return gzip.substr(10, gzip.size() - 18);
}

class ZipBuilder {
 public:
  void Add(const ZipMember& member) {
    const std::string packed = member.deflate ? DeflateRaw(member.content) : member.content;
    const auto checksum =
        static_cast<uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(member.content.data()),
                                    static_cast<uInt>(member.content.size())));
    const uint64_t at = bytes_.size();
    ZipMember local = member;
    if (member.descriptor) {
      local.claimed_bytes = local.claimed_packed_bytes = 0;
      local.claimed_checksum = 0;
    }
    const std::string zip64_local = Zip64Extra(local, packed, std::nullopt);
    bytes_ += "PK\x03\x04" + Fields(local, packed, checksum) + U16(zip64_local.size()) +
              member.name + zip64_local + packed;
    if (member.descriptor) {
      bytes_ += "PK\x07\x08" + U32(checksum) +
                (member.zip64 ? U64(packed.size()) + U64(member.content.size())
                              : U32(packed.size()) + U32(member.content.size()));
    }
    const std::string zip64_central = Zip64Extra(member, packed, at);
    directory_ += "PK\x01\x02" + U16(45) + Fields(member, packed, checksum) +
                  U16(zip64_central.size()) + U16(0) + U16(0) + U16(0) + U32(0) +
                  U32(member.zip64 ? 0xFFFFFFFF : at) + member.name + zip64_central;
    zip64_ = zip64_ || member.zip64;
    ++members_;
  }

  std::string Finish() const {
    std::string end;
    const uint64_t directory_at = bytes_.size();
    if (zip64_) {
      end += "PK\x06\x06" + U64(44) + U16(45) + U16(45) + U32(0) + U32(0) + U64(members_) +
             U64(members_) + U64(directory_.size()) + U64(directory_at);
      end += "PK\x06\x07" + U32(0) + U64(directory_at + directory_.size()) + U32(1);
    }
    end += "PK\x05\x06" + U16(0) + U16(0) + U16(zip64_ ? 0xFFFF : members_) +
           U16(zip64_ ? 0xFFFF : members_) + U32(zip64_ ? 0xFFFFFFFF : directory_.size()) +
           U32(zip64_ ? 0xFFFFFFFF : directory_at) + U16(0);
    return bytes_ + directory_ + end;
  }

 private:
  static std::string U16(uint64_t value) {
    return Stored<uint16_t>({static_cast<uint16_t>(value)}, false);
  }
  static std::string U32(uint64_t value) {
    return Stored<uint32_t>({static_cast<uint32_t>(value)}, false);
  }
  static std::string U64(uint64_t value) { return Stored<uint64_t>({value}, false); }

  // What the local header and the directory's have in common.
  static std::string Fields(const ZipMember& member, const std::string& packed, uint32_t checksum) {
    const int flags = (member.encrypted ? 1 : 0) + (member.descriptor ? 8 : 0);
    const uint64_t method = member.claimed_method.value_or(member.deflate ? 8 : 0);
    const uint64_t bytes = member.claimed_bytes.value_or(member.content.size());
    const uint64_t packed_bytes = member.claimed_packed_bytes.value_or(packed.size());
    return U16(45) + U16(static_cast<uint64_t>(flags)) + U16(method) + U16(0) + U16(0x21) +
           U32(member.claimed_checksum.value_or(checksum)) +
           U32(member.zip64 ? 0xFFFFFFFF : packed_bytes) + U32(member.zip64 ? 0xFFFFFFFF : bytes) +
           U16(member.name.size());
  }

  static std::string Zip64Extra(const ZipMember& member, const std::string& packed,
                                std::optional<uint64_t> at) {
    if (!member.zip64) return "";
    const std::string fields = U64(member.claimed_bytes.value_or(member.content.size())) +
                               U64(member.claimed_packed_bytes.value_or(packed.size())) +
                               (at ? U64(*at) : "");
    return U16(1) + U16(fields.size()) + fields;
  }

  std::string bytes_;
  std::string directory_;
  uint64_t members_ = 0;
  bool zip64_ = false;
};

inline std::string ZipFile(const std::vector<ZipMember>& members) {
  ZipBuilder builder;
  for (const ZipMember& member : members) builder.Add(member);
  return builder.Finish();
}

}  // namespace rhohat
