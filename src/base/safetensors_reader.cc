#include "base/safetensors_reader.h"

#include <fmt/core.h>

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <utility>

#include "base/safetensors_checksum.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

// Large enough for a disk to read at its speed.
constexpr size_t kPieceBytes = size_t{1} << 20;

[[noreturn]] void ThrowDamaged(const std::string& path) {
  throw Error(ErrorKind::kBadData, fmt::format("{}: damaged: its checksum does not match", path));
}

void CheckTypes(const std::string& path, const std::vector<SafetensorsEntry>& entries) {
  for (const SafetensorsEntry& entry : entries) {
    if (entry.type == "F32" || entry.type == "F64") continue;
    throw Error(ErrorKind::kBadData,
                fmt::format("{}: tensor {}: expected type F32 or F64, found {}", path,
                            QuotedText(entry.name), QuotedText(entry.type)));
  }
}

// Takes the checksum's digits out of the header, out of its text too, where zeros take their place;
// "" where there is no checksum.
//
// A file that we wrote must not pass for one without a checksum because the damage hit the
// checksum's own name. So the name and the value's beginning are looked for independently, and
// either one calls for both.
std::string TakeDigits(const std::string& path, SafetensorsHeader& header) {
  constexpr size_t kDigits = SafetensorsChecksum::kDigits;
  const std::string opening = fmt::format("\"{}", SafetensorsChecksum::kPrefix);
  const size_t position = header.text.find(opening);
  const auto entry = header.metadata.find(kSafetensorsChecksumKey);
  if (position == header.text.npos && entry == header.metadata.end()) return "";
  if (position == header.text.npos || entry == header.metadata.end()) ThrowDamaged(path);

  const size_t begin = position + opening.size();
  std::string digits = header.text.substr(begin, kDigits);
  if (digits.size() != kDigits ||
      entry->second != std::string(SafetensorsChecksum::kPrefix) + digits) {
    ThrowDamaged(path);
  }
  header.text.replace(begin, kDigits, kDigits, '0');
  header.metadata.erase(entry);
  return digits;
}

}  // namespace

SafetensorsReader::SafetensorsReader(const std::filesystem::path& path,
                                     std::vector<std::byte>* data)
    : file_(path.string()) {
  SafetensorsHeader header = ReadSafetensorsHeader(file_);
  CheckTypes(file_.path(), header.entries);
  const std::string digits = TakeDigits(file_.path(), header);
  has_checksum_ = !digits.empty();
  data_offset_ = header.data_offset;

  SafetensorsChecksum checksum(header.text);
  std::vector<std::byte> buffer;
  std::vector<std::byte>& place = data != nullptr ? *data : buffer;
  place.resize(data != nullptr ? header.data_bytes : std::min(header.data_bytes, kPieceBytes));
  for (uint64_t begin = 0; begin < header.data_bytes; begin += kPieceBytes) {
    const uint64_t bytes = std::min<uint64_t>(kPieceBytes, header.data_bytes - begin);
    const std::span<std::byte> piece = std::span(place).subspan(data != nullptr ? begin : 0, bytes);
    file_.ReadAt(data_offset_ + begin, piece);
    checksum.Add(piece);
  }
  if (has_checksum_ && checksum.Digits() != digits) ThrowDamaged(file_.path());
  metadata_ = std::move(header.metadata);
  tensors_ = std::move(header.entries);
}

const SafetensorsEntry* SafetensorsReader::Find(std::string_view name) const {
  const auto found = std::ranges::find(tensors_, name, &SafetensorsEntry::name);
  return found == tensors_.end() ? nullptr : &*found;
}

void SafetensorsReader::Read(const SafetensorsEntry& tensor, std::span<std::byte> out) const {
  assert(out.size() == tensor.end - tensor.begin);
  file_.ReadAt(data_offset_ + tensor.begin, out);
}

}  // namespace rhohat
