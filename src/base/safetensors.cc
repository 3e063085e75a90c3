#include "base/safetensors.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "base/atomic_file.h"
#include "base/text.h"
#include "base/units.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

static_assert(std::endian::native == std::endian::little, "the container is little-endian");

constexpr size_t kLengthBytes = 8;
// The limit that the format's own library sets, against headers made to exhaust memory.
constexpr uint64_t kMaxHeaderBytes = 100'000'000;
// Data starts on a cache line, so that who maps the file can use the numbers in place.
constexpr size_t kDataAlignment = 64;
constexpr size_t kMaxDimensions = 32;
constexpr char kMetadataKey[] = "__metadata__";
constexpr char kChecksumKey[] = "checksum";
// The checksum's value: this and then so many lower-case hexadecimal digits.
constexpr std::string_view kChecksumPrefix = "xxh3-128:";
constexpr size_t kChecksumDigits = 32;

[[noreturn]] void ThrowBad(const std::filesystem::path& path, std::string_view fault) {
  throw Error(ErrorKind::kBadData, fmt::format("{}: {}", path.string(), fault));
}

// Text from a file in one line of a message, whatever it holds.
std::string Quoted(const std::string& text) {
  return json(text.substr(0, 80)).dump(-1, ' ', true, json::error_handler_t::replace);
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
                          Quoted(name)));
}

void CheckTensors(const std::filesystem::path& path, std::span<const TensorView> tensors) {
  std::set<std::string> names = {kMetadataKey};
  for (const TensorView& tensor : tensors) {
    int64_t bytes = static_cast<int64_t>(TensorTypeBytes(tensor.type));
    bool sound = names.insert(tensor.name).second && tensor.shape.size() <= kMaxDimensions;
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
  ordered_json& table = header[kMetadataKey];
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
  const size_t used = (kLengthBytes + text.size()) % kDataAlignment;
  text.append((kDataAlignment - used) % kDataAlignment, ' ');
  return text;
}

// ---- Reading -----------------------------------------------------------------------------------

// A regular file that is open for reading.
class InputFile {
 public:
  explicit InputFile(const std::filesystem::path& path) : path_(path) {
    // Without O_NONBLOCK, opening a named pipe would wait for a writer.
    descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status = {};
    if (descriptor_ < 0 || ::fstat(descriptor_, &status) != 0) {
      const int code = errno;
      Close();
      throw Error(ErrorKind::kNoInput,
                  fmt::format("{}: cannot open: {}", path.string(), ErrnoText(code)));
    }
    if (!S_ISREG(status.st_mode)) {
      Close();
      throw Error(ErrorKind::kNoInput,
                  fmt::format("{}: expected a file, found {}", path.string(),
                              S_ISDIR(status.st_mode) ? "a folder" : "a pipe or a device"));
    }
    size_ = static_cast<uint64_t>(status.st_size);
  }
  ~InputFile() { Close(); }
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  uint64_t size() const { return size_; }

  // The next out.size() bytes.
  void Read(std::span<std::byte> out) {
    while (!out.empty()) {
      const ssize_t got = ::read(descriptor_, out.data(), out.size());
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) {
        const std::string fault = got == 0 ? "it became shorter meanwhile" : ErrnoText(errno);
        throw Error(ErrorKind::kIo, fmt::format("{}: cannot read: {}", path_.string(), fault));
      }
      out = out.subspan(static_cast<size_t>(got));
    }
  }

 private:
  void Close() {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  }

  std::filesystem::path path_;
  int descriptor_ = -1;
  uint64_t size_ = 0;
};

std::string ReadHeader(const std::filesystem::path& path, InputFile& input) {
  if (input.size() < kLengthBytes) {
    ThrowBad(path, fmt::format("not a safetensors file: {} bytes long", input.size()));
  }
  uint64_t length = 0;
  input.Read(std::as_writable_bytes(std::span(&length, 1)));
  const uint64_t most = std::min(input.size() - kLengthBytes, kMaxHeaderBytes);
  if (length > most) {
    ThrowBad(path, fmt::format("not a safetensors file, or cut short: expected a header of at most "
                               "{} bytes, found one of {}",
                               most, length));
  }
  std::string header(length, '\0');
  input.Read(std::as_writable_bytes(std::span(header)));
  if (!header.starts_with('{')) ThrowBad(path, "not a safetensors file: its header is not JSON");
  return header;
}

// Parses, and refuses what JSON lets through but no sound header holds: names given twice, where
// readers would differ on which counts; objects in objects in objects and long lists, made to
// exhaust memory.
class HeaderParser {
 public:
  explicit HeaderParser(const std::filesystem::path& path) : path_(path) {}

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
        ThrowBad(path_, fmt::format("damaged: its header names {} twice", Quoted(name)));
      }
      items_since_name_ = 0;
    } else if (event == Event::value || event == Event::array_start) {
      // One more than a shape's extents, for the list itself.
      if (++items_since_name_ > kMaxDimensions + 1) {
        ThrowBad(path_, "damaged: its header has too long a list");
      }
    }
  }

  const std::filesystem::path& path_;
  std::vector<std::set<std::string>> open_objects_;
  size_t items_since_name_ = 0;
};

SafetensorsMetadata ParseMetadata(const std::filesystem::path& path, const json& table) {
  if (!table.is_object()) ThrowBad(path, "damaged: its metadata is not a table of strings");
  SafetensorsMetadata metadata;
  for (const auto& [key, value] : table.items()) {
    if (!value.is_string()) {
      ThrowBad(path, fmt::format("damaged: its metadata {} is not a string", Quoted(key)));
    }
    metadata[key] = value.get<std::string>();
  }
  return metadata;
}

// Where a tensor's bytes are, counted from the start of the data.
struct Place {
  uint64_t begin = 0;
  uint64_t end = 0;
};

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

// Bytes of a tensor of this type and shape; false where they do not fit in 63 bits.
bool CountBytes(const TensorView& tensor, int64_t& bytes) {
  bytes = static_cast<int64_t>(TensorTypeBytes(tensor.type));
  for (const int64_t extent : tensor.shape) {
    if (__builtin_mul_overflow(bytes, extent, &bytes)) return false;
  }
  return true;
}

TensorView ParseTensor(const std::filesystem::path& path, const std::string& name,
                       const json& entry, Place& place) {
  const auto refuse = [&](std::string_view fault) {
    ThrowBad(path, fmt::format("tensor {}: {}", Quoted(name), fault));
  };
  if (!entry.is_object() || !entry.contains("dtype") || !entry["dtype"].is_string() ||
      entry.size() != 3) {
    refuse("damaged: expected dtype, shape and data_offsets");
  }
  TensorView tensor;
  tensor.name = name;
  const std::string type = entry["dtype"].get<std::string>();
  if (type != "F32" && type != "F64") {
    refuse(fmt::format("expected type F32 or F64, found {}", Quoted(type)));
  }
  tensor.type = type == "F32" ? TensorType::kF32 : TensorType::kF64;
  std::vector<int64_t> offsets;
  if (!ReadNumbers(entry, "shape", tensor.shape) || !ReadNumbers(entry, "data_offsets", offsets) ||
      offsets.size() != 2 || offsets[0] > offsets[1]) {
    refuse("damaged: its shape or its data_offsets make no sense");
  }
  int64_t bytes = 0;
  if (!CountBytes(tensor, bytes) || bytes != offsets[1] - offsets[0]) {
    refuse(
        fmt::format("damaged: its shape and type do not make {} bytes", offsets[1] - offsets[0]));
  }
  place = {static_cast<uint64_t>(offsets[0]), static_cast<uint64_t>(offsets[1])};
  return tensor;
}

struct PlacedTensor {
  TensorView tensor;
  Place place;
};

// The tensors in the order of their data, which they must cover without gap or overlap.
std::vector<PlacedTensor> ParseTensors(const std::filesystem::path& path, const json& header,
                                       uint64_t data_bytes) {
  std::vector<PlacedTensor> placed;
  for (const auto& [name, entry] : header.items()) {
    if (name == kMetadataKey) continue;
    PlacedTensor& added = placed.emplace_back();
    added.tensor = ParseTensor(path, name, entry, added.place);
  }
  std::stable_sort(placed.begin(), placed.end(), [](const PlacedTensor& a, const PlacedTensor& b) {
    return std::pair(a.place.begin, a.place.end) < std::pair(b.place.begin, b.place.end);
  });
  uint64_t end = 0;
  for (const PlacedTensor& next : placed) {
    if (next.place.begin != end) {
      ThrowBad(path, fmt::format("tensor {}: damaged: expected its data at byte {}, found {}",
                                 Quoted(next.tensor.name), end, next.place.begin));
    }
    end = next.place.end;
  }
  if (end != data_bytes) {
    ThrowBad(path, fmt::format("damaged or cut short: expected {} bytes of tensors, found {}", end,
                               data_bytes));
  }
  return placed;
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
  if (metadata.contains(kChecksumKey) || header.size() > kMaxHeaderBytes) {
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
  InputFile input(path);
  const std::string text = ReadHeader(path, input);
  const uint64_t data_bytes = input.size() - kLengthBytes - text.size();
  const json header = HeaderParser(path).Parse(text);

  SafetensorsFile file;
  if (header.contains(kMetadataKey)) file.metadata_ = ParseMetadata(path, header[kMetadataKey]);
  std::vector<PlacedTensor> placed = ParseTensors(path, header, data_bytes);
  file.data_.resize(data_bytes);
  input.Read(file.data_);
  file.has_checksum_ = VerifyChecksum(path, text, file.metadata_, file.data_);
  for (PlacedTensor& next : placed) {
    next.tensor.bytes =
        std::span(file.data_).subspan(next.place.begin, next.place.end - next.place.begin);
    file.tensors_.push_back(std::move(next.tensor));
  }
  return file;
}

const TensorView* SafetensorsFile::Find(std::string_view name) const {
  const auto found = std::find_if(tensors_.begin(), tensors_.end(),
                                  [&](const TensorView& tensor) { return tensor.name == name; });
  return found == tensors_.end() ? nullptr : &*found;
}

}  // namespace rhohat
