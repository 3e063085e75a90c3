// The header of a safetensors file: what tensors there are and where, and a table of strings.
//
// Eight bytes, little-endian, give the length of a JSON text; the text gives each tensor's type,
// shape and place; the numbers follow without gaps. Nothing here touches the numbers, so that a
// file larger than memory can be looked into.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/input_file.h"

namespace rhohat {

inline constexpr size_t kSafetensorsLengthBytes = 8;
// The limit that the format's own library sets, against headers made to exhaust memory.
inline constexpr uint64_t kMaxSafetensorsHeaderBytes = 100'000'000;
inline constexpr size_t kMaxSafetensorsDimensions = 32;
inline constexpr char kSafetensorsMetadataKey[] = "__metadata__";

// The header's `__metadata__`.
using SafetensorsMetadata = std::map<std::string, std::string>;

// What the header says of one tensor.
struct SafetensorsEntry {
  std::string name;
  std::string type;  // as the header spells it: "F32", "BF16", …
  std::vector<int64_t> shape;
  // Its bytes, counted from the start of the data.
  uint64_t begin = 0;
  uint64_t end = 0;
};

struct SafetensorsHeader {
  std::string text;
  uint64_t data_offset = 0;  // in the file
  uint64_t data_bytes = 0;
  SafetensorsMetadata metadata;
  // In the order of the data, which they cover without gap or overlap. An entry's bytes are as many
  // as its type and shape make, wherever the type is one of the format's.
  std::vector<SafetensorsEntry> entries;
};

// Reads and checks the header, against the file's size too. Throws Error(kBadData) for anything
// that is not a sound header, Error(kIo) where reading fails.
SafetensorsHeader ReadSafetensorsHeader(const InputFile& file);

// Text from a file in one line of a message, whatever it holds.
std::string QuotedText(const std::string& text);

}  // namespace rhohat
