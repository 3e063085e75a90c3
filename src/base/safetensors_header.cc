#include "base/safetensors_header.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <bit>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <utility>

#include "rhohat/error.h"

namespace rhohat {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

static_assert(std::endian::native == std::endian::little, "the container is little-endian");

struct NamedType {
  std::string_view name;
  int64_t bits;
};

// The types of the format, those included that we do not read: that their sizes are right is part
// of the header's soundness.
constexpr std::array<NamedType, 19> kTypes = {{{"F64", 64},
                                               {"F32", 32},
                                               {"F16", 16},
                                               {"BF16", 16},
                                               {"I64", 64},
                                               {"I32", 32},
                                               {"I16", 16},
                                               {"I8", 8},
                                               {"U64", 64},
                                               {"U32", 32},
                                               {"U16", 16},
                                               {"U8", 8},
                                               {"BOOL", 8},
                                               {"C64", 64},
                                               {"F8_E4M3", 8},
                                               {"F8_E5M2", 8},
                                               {"F8_E8M0", 8},
                                               {"F6_E2M3", 6},
                                               {"F6_E3M2", 6}}};

[[noreturn]] void ThrowBad(const fs::path& path, std::string_view fault) {
  throw Error(ErrorKind::kBadData, fmt::format("{}: {}", path.string(), fault));
}

std::string ReadText(const InputFile& file) {
  if (file.bytes() < kSafetensorsLengthBytes) {
    ThrowBad(file.path(), fmt::format("not a safetensors file: {} bytes long", file.bytes()));
  }
  uint64_t length = 0;
  file.ReadAt(0, std::as_writable_bytes(std::span(&length, 1)));
  const uint64_t most =
      std::min(file.bytes() - kSafetensorsLengthBytes, kMaxSafetensorsHeaderBytes);
  if (length > most) {
    ThrowBad(file.path(),
             fmt::format("not a safetensors file, or cut short: expected a header of at most {} "
                         "bytes, found one of {}",
                         most, length));
  }
  std::string text(length, '\0');
  file.ReadAt(kSafetensorsLengthBytes, std::as_writable_bytes(std::span(text)));
  if (!text.starts_with('{')) {
    ThrowBad(file.path(), "not a safetensors file: its header is not JSON");
  }
  return text;
}

// Parses, and refuses what JSON lets through but no sound header holds: names given twice, where
// readers would differ on which counts; objects in objects in objects and long lists, made to
// exhaust memory.
class HeaderParser {
 public:
  explicit HeaderParser(const fs::path& path) : path_(path) {}

  json Parse(const std::string& header) {
    try {
      return json::parse(header, [this](int depth, json::parse_event_t event, json& parsed) {
        Check(depth, event, parsed);
        return true;
      });
    } catch (const json::exception&) {
      ThrowBad(path_, "damaged: its header is not valid JSON");
    }
  }

 private:
  void Check(int depth, json::parse_event_t event, const json& parsed) {
    using Event = json::parse_event_t;
    if (event == Event::object_start) {
      if (depth > 1) ThrowBad(path_, "damaged: its header is nested too deep");
      open_objects_.emplace_back();
    } else if (event == Event::object_end) {
      open_objects_.pop_back();
    } else if (event == Event::key) {
      const std::string name = parsed.get<std::string>();
      if (!open_objects_.back().insert(name).second) {
        ThrowBad(path_, fmt::format("damaged: its header names {} twice", QuotedText(name)));
      }
      items_since_name_ = 0;
    } else if (event == Event::value || event == Event::array_start) {
      // One more than a shape's extents, for the list itself.
      if (++items_since_name_ > kMaxSafetensorsDimensions + 1) {
        ThrowBad(path_, "damaged: its header has too long a list");
      }
    }
  }

  const fs::path& path_;
  std::vector<std::set<std::string>> open_objects_;
  size_t items_since_name_ = 0;
};

SafetensorsMetadata ParseMetadata(const fs::path& path, const json& table) {
  if (!table.is_object()) ThrowBad(path, "damaged: its metadata is not a table of strings");
  SafetensorsMetadata metadata;
  for (const auto& [key, value] : table.items()) {
    if (!value.is_string()) {
      ThrowBad(path, fmt::format("damaged: its metadata {} is not a string", QuotedText(key)));
    }
    metadata[key] = value.get<std::string>();
  }
  return metadata;
}

// The list of whole numbers `key` of an entry, each at most 2^63 − 1; false where it is not that.
bool ReadNumbers(const json& entry, const char* key, std::vector<int64_t>& numbers) {
  const auto found = entry.find(key);
  if (found == entry.end() || !found->is_array()) return false;
  numbers.clear();
  for (const json& value : *found) {
    if (!value.is_number_unsigned()) return false;
    const uint64_t number = value.get<uint64_t>();
    if (number > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return false;
    numbers.push_back(static_cast<int64_t>(number));
  }
  return true;
}

// Whether so many bytes are what type and shape make. Of a type that we do not know, any number is.
bool SizeFits(const SafetensorsEntry& entry, int64_t bytes) {
  const auto known = std::ranges::find(kTypes, entry.type, &NamedType::name);
  if (known == kTypes.end()) return true;
  int64_t bits = known->bits;
  for (const int64_t extent : entry.shape) {
    if (__builtin_mul_overflow(bits, extent, &bits)) return false;
  }
  return bits % 8 == 0 && bits / 8 == bytes;
}

SafetensorsEntry ParseEntry(const fs::path& path, const std::string& name, const json& described) {
  const auto refuse = [&](std::string_view fault) {
    ThrowBad(path, fmt::format("tensor {}: {}", QuotedText(name), fault));
  };
  if (!described.is_object() || !described.contains("dtype") || !described["dtype"].is_string() ||
      described.size() != 3) {
    refuse("damaged: expected dtype, shape and data_offsets");
  }
  SafetensorsEntry entry;
  entry.name = name;
  entry.type = described["dtype"].get<std::string>();
  std::vector<int64_t> offsets;
  if (!ReadNumbers(described, "shape", entry.shape) ||
      !ReadNumbers(described, "data_offsets", offsets) || offsets.size() != 2 ||
      offsets[0] > offsets[1]) {
    refuse("damaged: its shape or its data_offsets make no sense");
  }
  const int64_t bytes = offsets[1] - offsets[0];
  if (!SizeFits(entry, bytes)) {
    refuse(fmt::format("damaged: its shape and type do not make {} bytes", bytes));
  }
  entry.begin = static_cast<uint64_t>(offsets[0]);
  entry.end = static_cast<uint64_t>(offsets[1]);
  return entry;
}

// The entries in the order of their data, which they must cover without gap or overlap.
std::vector<SafetensorsEntry> ParseEntries(const fs::path& path, const json& header,
                                           uint64_t data_bytes) {
  std::vector<SafetensorsEntry> entries;
  for (const auto& [name, described] : header.items()) {
    if (name != kSafetensorsMetadataKey) entries.push_back(ParseEntry(path, name, described));
  }
  std::ranges::stable_sort(
      entries, {}, [](const SafetensorsEntry& entry) { return std::pair(entry.begin, entry.end); });
  uint64_t end = 0;
  for (const SafetensorsEntry& next : entries) {
    if (next.begin != end) {
      ThrowBad(path, fmt::format("tensor {}: damaged: expected its data at byte {}, found {}",
                                 QuotedText(next.name), end, next.begin));
    }
    end = next.end;
  }
  if (end != data_bytes) {
    ThrowBad(path, fmt::format("damaged or cut short: expected {} bytes of tensors, found {}", end,
                               data_bytes));
  }
  return entries;
}

}  // namespace

SafetensorsHeader ReadSafetensorsHeader(const InputFile& file) {
  SafetensorsHeader header;
  header.text = ReadText(file);
  header.data_offset = kSafetensorsLengthBytes + header.text.size();
  header.data_bytes = file.bytes() - header.data_offset;
  const json parsed = HeaderParser(file.path()).Parse(header.text);
  const auto table = parsed.find(kSafetensorsMetadataKey);
  if (table != parsed.end()) header.metadata = ParseMetadata(file.path(), *table);
  header.entries = ParseEntries(file.path(), parsed, header.data_bytes);
  return header;
}

std::string QuotedText(const std::string& text) {
  return json(text.substr(0, 80)).dump(-1, ' ', true, json::error_handler_t::replace);
}

}  // namespace rhohat
