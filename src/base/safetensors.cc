#include "base/safetensors.h"

#include <fmt/core.h>
#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "base/atomic_file.h"
#include "base/input_file.h"
#include "base/units.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

using nlohmann::ordered_json;

// Data starts on a cache line, so that who maps the file can use the numbers in place.
constexpr size_t kDataAlignment = 64;
constexpr char kChecksumKey[] = "checksum";
// The checksum's value: this and then so many lower-case hexadecimal digits.
constexpr std::string_view kChecksumPrefix = "xxh3-128:";
constexpr size_t kChecksumDigits = 32;

[[noreturn]] void ThrowBad(const std::filesystem::path& path, std::string_view fault) {
  throw Error(ErrorKind::kBadData, fmt::format("{}: {}", path.string(), fault));
}

// XXH3's 128-bit hash of bytes that arrive piece by piece.
class Checksum {
 public:
  Checksum() : state_(XXH3_createState()) {
    if (state_ == nullptr) throw std::bad_alloc();
    XXH3_128bits_reset(state_.get());
  }
  void Add(std::span<const std::byte> bytes) {
    if (!bytes.empty()) XXH3_128bits_update(state_.get(), bytes.data(), bytes.size());
  }
  // The canonical form of the hash of all bytes so far.
  std::string Digits() const {
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state_.get()));
    std::string digits;
    for (const unsigned char byte : canonical.digest) digits += fmt::format("{:02x}", byte);
    return digits;
  }

 private:
  struct Deleter {
    void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
  };
  std::unique_ptr<XXH3_state_t, Deleter> state_;
};

// The hash of length and header, to which the data is still to be added. The header's checksum
// digits must be zeros already.
Checksum ChecksumOfHeader(const std::string& header) {
  const uint64_t length = header.size();
  Checksum checksum;
  checksum.Add(std::as_bytes(std::span(&length, 1)));
  checksum.Add(std::as_bytes(std::span(header)));
  return checksum;
}

// ---- Writing -----------------------------------------------------------------------------------

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
  table[kChecksumKey] = std::string(kChecksumPrefix) + std::string(kChecksumDigits, '0');
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

// ---- Reading -----------------------------------------------------------------------------------

// The entry as a tensor of ours, still without its bytes.
TensorView TensorOf(const std::filesystem::path& path, const SafetensorsEntry& entry) {
  if (entry.type != "F32" && entry.type != "F64") {
    ThrowBad(path, fmt::format("tensor {}: expected type F32 or F64, found {}",
                               QuotedText(entry.name), QuotedText(entry.type)));
  }
  return {.name = entry.name,
          .type = entry.type == "F32" ? TensorType::kF32 : TensorType::kF64,
          .shape = entry.shape};
}

// Takes the checksum out of the metadata and compares it; false where there is none.
//
// A file that we wrote must not pass for one without a checksum because the damage hit the
// checksum's own name. So the name and the value's beginning are looked for independently, and
// either one calls for both.
bool VerifyChecksum(const std::filesystem::path& path, std::string header,
                    SafetensorsMetadata& metadata, std::span<const std::byte> data) {
  const std::string opening = fmt::format("\"{}", kChecksumPrefix);
  const size_t position = header.find(opening);
  const auto entry = metadata.find(kChecksumKey);
  if (position == header.npos && entry == metadata.end()) return false;

  bool matches = false;
  if (position != header.npos && entry != metadata.end()) {
    const size_t digits = position + opening.size();
    const std::string found = header.substr(digits, kChecksumDigits);
    if (found.size() == kChecksumDigits && entry->second == std::string(kChecksumPrefix) + found) {
      header.replace(digits, kChecksumDigits, kChecksumDigits, '0');
      Checksum checksum = ChecksumOfHeader(header);
      checksum.Add(data);
      matches = checksum.Digits() == found;
    }
  }
  if (!matches) ThrowBad(path, "damaged: its checksum does not match");
  metadata.erase(entry);
  return true;
}

}  // namespace

size_t TensorTypeBytes(TensorType type) { return type == TensorType::kF32 ? 4 : 8; }

std::string_view TensorTypeName(TensorType type) {
  return type == TensorType::kF32 ? "F32" : "F64";
}

std::vector<double> TensorValues(const TensorView& tensor) {
  std::vector<double> values(tensor.bytes.size() / TensorTypeBytes(tensor.type));
  if (values.empty()) return values;
  if (tensor.type == TensorType::kF64) {
    std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
    return values;
  }
  for (size_t i = 0; i < values.size(); ++i) {
    float value = 0;
    std::memcpy(&value, tensor.bytes.data() + i * sizeof value, sizeof value);
    values[i] = value;
  }
  return values;
}

void WriteSafetensors(const std::filesystem::path& path, const SafetensorsMetadata& metadata,
                      std::span<const TensorView> tensors) {
  CheckTensors(path, tensors);
  std::string header = BuildHeader(metadata, tensors);
  if (metadata.contains(kChecksumKey) || header.size() > kMaxSafetensorsHeaderBytes) {
    throw Error(ErrorKind::kInternal,
                fmt::format("{}: its metadata is too long or names a checksum", path.string()));
  }
  AtomicFile file(path);
  Checksum checksum = ChecksumOfHeader(header);
  for (const TensorView& tensor : tensors) checksum.Add(tensor.bytes);
  header.replace(header.find(kChecksumPrefix) + kChecksumPrefix.size(), kChecksumDigits,
                 checksum.Digits());

  const uint64_t length = header.size();
  file.Write(std::as_bytes(std::span(&length, 1)));
  file.Write(header);
  for (const TensorView& tensor : tensors) file.Write(tensor.bytes);
  file.Commit();
}

SafetensorsFile SafetensorsFile::Read(const std::filesystem::path& path) {
  const InputFile input(path);
  SafetensorsHeader header = ReadSafetensorsHeader(input);
  SafetensorsFile file;
  for (const SafetensorsEntry& entry : header.entries) {
    file.tensors_.push_back(TensorOf(path, entry));
  }
  file.data_.resize(header.data_bytes);
  input.ReadAt(header.data_offset, file.data_);
  file.has_checksum_ = VerifyChecksum(path, header.text, header.metadata, file.data_);
  file.metadata_ = std::move(header.metadata);
  for (size_t i = 0; i < header.entries.size(); ++i) {
    const SafetensorsEntry& entry = header.entries[i];
    file.tensors_[i].bytes = std::span(file.data_).subspan(entry.begin, entry.end - entry.begin);
  }
  return file;
}

const TensorView* SafetensorsFile::Find(std::string_view name) const {
  const auto found = std::find_if(tensors_.begin(), tensors_.end(),
                                  [&](const TensorView& tensor) { return tensor.name == name; });
  return found == tensors_.end() ? nullptr : &*found;
}

}  // namespace rhohat
