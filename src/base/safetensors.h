// The safetensors container: named tensors and a table of strings, in one file.
//
// The container itself is safetensors_header.h's business; Python's `safetensors` reads and writes
// the same. What is added here, and invisible to other readers, is a checksum over every byte of
// the file, kept in the header's table of strings, so that a file that rotted on a disk is refused
// instead of used. docs/formats/model.md has the layout to the byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/safetensors_header.h"

namespace rhohat {

enum class TensorType { kF32, kF64 };

// Bytes of one element.
size_t TensorTypeBytes(TensorType type);
// "F32", "F64": as the header spells it.
std::string_view TensorTypeName(TensorType type);

// A row-major tensor whose numbers belong to somebody else. `bytes` may be unaligned.
struct TensorView {
  std::string name;
  TensorType type = TensorType::kF32;
  std::vector<int64_t> shape;
  std::span<const std::byte> bytes;
};

// Writes the file, whole or not at all. The same arguments always give the same bytes; tensors come
// in the order given, which is also the order in the file. Text that is not UTF-8 has its faulty
// bytes replaced by U+FFFD, since JSON cannot hold them.
//
// Throws Error(kCannotCreate) or Error(kIo); Error(kInternal) for tensors that contradict
// themselves.
void WriteSafetensors(const std::filesystem::path& path, const SafetensorsMetadata& metadata,
                      std::span<const TensorView> tensors);

// A file in memory. Immutable once read, so it may be shared between threads.
class SafetensorsFile {
 public:
  // Reads and checks everything; sizes are checked against the file before memory is asked for.
  // Throws Error(kNoInput) where there is no such file, Error(kIo) where reading fails, and
  // Error(kBadData) for anything that is not a sound safetensors file of F32 and F64.
  static SafetensorsFile Read(const std::filesystem::path& path);

  SafetensorsFile(SafetensorsFile&&) = default;
  SafetensorsFile& operator=(SafetensorsFile&&) = default;

  // In the order of the file. Valid as long as this object.
  const std::vector<TensorView>& tensors() const { return tensors_; }
  // The tensor of that name, or null.
  const TensorView* Find(std::string_view name) const;
  // The header's table of strings, without the checksum.
  const SafetensorsMetadata& metadata() const { return metadata_; }
  // False for files of other programs, which carry no checksum: such a file may be damaged.
  bool has_checksum() const { return has_checksum_; }

 private:
  SafetensorsFile() = default;

  SafetensorsMetadata metadata_;
  std::vector<TensorView> tensors_;
  std::vector<std::byte> data_;
  bool has_checksum_ = false;
};

}  // namespace rhohat
