// A safetensors file that is verified as a whole when it is opened, and read tensor by tensor.
//
// Verifying streams the file through a small buffer, so that a file larger than memory can be
// opened: what stays is the header. Every size that the header claims is held against the file's
// before anything is read or allocated by it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/input_file.h"
#include "base/safetensors_header.h"

namespace rhohat {

// Immutable once open, so it may be shared between threads. The file stays open, and is the same
// one even where another takes its name.
class SafetensorsReader {
 public:
  // Where `data` is not null it gets the bytes of all tensors, in the same pass as the checksum:
  // the offsets of tensors() count in it.
  //
  // Throws Error(kNoInput) where there is no such file, Error(kIo) where reading fails, and
  // Error(kBadData) for anything that is not a sound safetensors file of F32 and F64, the checksum
  // included where it has one.
  explicit SafetensorsReader(const std::filesystem::path& path,
                             std::vector<std::byte>* data = nullptr);

  const std::string& path() const { return file_.path(); }
  // The header's table of strings, without the checksum.
  const SafetensorsMetadata& metadata() const { return metadata_; }
  // False for files of other programs, which carry no checksum: such a file may be damaged.
  bool has_checksum() const { return has_checksum_; }

  // In the order of the file.
  const std::vector<SafetensorsEntry>& tensors() const { return tensors_; }
  // The tensor of that name, or null.
  const SafetensorsEntry* Find(std::string_view name) const;

  // Fills `out`, which has the length of the tensor's bytes. Throws Error(kBadData) where the file
  // has become shorter, Error(kIo) where reading fails.
  void Read(const SafetensorsEntry& tensor, std::span<std::byte> out) const;

 private:
  InputFile file_;
  SafetensorsMetadata metadata_;
  std::vector<SafetensorsEntry> tensors_;
  uint64_t data_offset_ = 0;
  bool has_checksum_ = false;
};

}  // namespace rhohat
