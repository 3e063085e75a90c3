#include "base/safetensors.h"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/atomic_file.h"
#include "base/safetensors_checksum.h"
#include "base/safetensors_reader.h"
#include "base/units.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

using nlohmann::ordered_json;

// Data starts on a cache line, so that who maps the file can use the numbers in place.
constexpr size_t kDataAlignment = 64;

[[noreturn]] void ThrowContradiction(const std::filesystem::path& path, const std::string& name) {
  throw Error(ErrorKind::kInternal,
              fmt::format("{}: tensor {} contradicts its shape or its name is taken", path.string(),
                          QuotedText(name)));
}

void CheckTensors(const std::filesystem::path& path, std::span<const TensorView> tensors) {
  std::set<std::string> names = {kSafetensorsMetadataKey};
  for (const TensorView& tensor : tensors) {
    int64_t bytes = static_cast<int64_t>(TensorTypeBytes(tensor.type));
    bool sound =
        names.insert(tensor.name).second && tensor.shape.size() <= kMaxSafetensorsDimensions;
    for (const int64_t extent : tensor.shape) {
      sound = sound && extent >= 0;
      bytes = CheckedProduct(bytes, extent, tensor.name);
    }
    if (!sound || static_cast<size_t>(bytes) != tensor.bytes.size()) {
      ThrowContradiction(path, tensor.name);
    }
  }
}

// The header with zeros for the checksum's digits, padded so that data starts aligned. The
// checksum is its first entry.
std::string BuildHeader(const SafetensorsMetadata& metadata, std::span<const TensorView> tensors) {
  ordered_json header;
  ordered_json& table = header[kSafetensorsMetadataKey];
  table[kSafetensorsChecksumKey] =
      std::string(SafetensorsChecksum::kPrefix) + std::string(SafetensorsChecksum::kDigits, '0');
  for (const auto& [key, value] : metadata) table[key] = value;
  size_t offset = 0;
  for (const TensorView& tensor : tensors) {
    ordered_json& entry = header[tensor.name];
    entry["dtype"] = TensorTypeName(tensor.type);
    entry["shape"] = tensor.shape;
    entry["data_offsets"] = {offset, offset + tensor.bytes.size()};
    offset += tensor.bytes.size();
  }
  std::string text = header.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
  const size_t used = (kSafetensorsLengthBytes + text.size()) % kDataAlignment;
  text.append((kDataAlignment - used) % kDataAlignment, ' ');
  return text;
}

}  // namespace

size_t TensorTypeBytes(TensorType type) { return type == TensorType::kF32 ? 4 : 8; }

std::string_view TensorTypeName(TensorType type) {
  return type == TensorType::kF32 ? "F32" : "F64";
}

void WriteSafetensors(const std::filesystem::path& path, const SafetensorsMetadata& metadata,
                      std::span<const TensorView> tensors) {
  CheckTensors(path, tensors);
  std::string header = BuildHeader(metadata, tensors);
  if (metadata.contains(kSafetensorsChecksumKey) || header.size() > kMaxSafetensorsHeaderBytes) {
    throw Error(ErrorKind::kInternal,
                fmt::format("{}: its metadata is too long or names a checksum", path.string()));
  }
  AtomicFile file(path);
  SafetensorsChecksum checksum(header);
  for (const TensorView& tensor : tensors) checksum.Add(tensor.bytes);
  constexpr std::string_view kPrefix = SafetensorsChecksum::kPrefix;
  header.replace(header.find(kPrefix) + kPrefix.size(), SafetensorsChecksum::kDigits,
                 checksum.Digits());

  const uint64_t length = header.size();
  file.Write(std::as_bytes(std::span(&length, 1)));
  file.Write(header);
  for (const TensorView& tensor : tensors) file.Write(tensor.bytes);
  file.Commit();
}

SafetensorsFile SafetensorsFile::Read(const std::filesystem::path& path) {
  SafetensorsFile file;
  const SafetensorsReader reader(path, &file.data_);
  for (const SafetensorsEntry& entry : reader.tensors()) {
    file.tensors_.push_back(
        {.name = entry.name,
         .type =
             entry.type == TensorTypeName(TensorType::kF32) ? TensorType::kF32 : TensorType::kF64,
         .shape = entry.shape,
         .bytes = std::span(file.data_).subspan(entry.begin, entry.end - entry.begin)});
  }
  file.metadata_ = reader.metadata();
  file.has_checksum_ = reader.has_checksum();
  return file;
}

const TensorView* SafetensorsFile::Find(std::string_view name) const {
  const auto found = std::find_if(tensors_.begin(), tensors_.end(),
                                  [&](const TensorView& tensor) { return tensor.name == name; });
  return found == tensors_.end() ? nullptr : &*found;
}

}  // namespace rhohat
