#include "formats/matlab5_file.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string_view>

#include "base/units.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

constexpr uint64_t kHeaderBytes = 128;
constexpr uint64_t kEndianOffset = 126;
constexpr uint64_t kTagBytes = 8;
constexpr uint32_t kMatrix = 14;
constexpr uint32_t kCompressed = 15;
constexpr uint32_t kInt8 = 1;
constexpr uint32_t kInt32 = 5;
constexpr uint32_t kUint32 = 6;
constexpr uint32_t kUtf8 = 16;
// Far more than MATLAB allows, and few enough to keep in memory.
constexpr size_t kMostAxes = 32;
constexpr size_t kMostNameBytes = 4096;
constexpr size_t kMostArrays = size_t{1} << 16;

// What an array is, by the number of its class.
constexpr std::array<std::string_view, 18> kClasses = {
    "unknown", "cell",  "struct", "object", "char",   "sparse", "double", "single",   "int8",
    "uint8",   "int16", "uint16", "int32",  "uint32", "int64",  "uint64", "function", "opaque"};
constexpr uint32_t kFirstNumberClass = 6;
constexpr uint32_t kLastNumberClass = 15;
constexpr uint32_t kOpaqueClass = 17;
constexpr uint32_t kComplexFlag = 0x800;
constexpr uint32_t kLogicalFlag = 0x200;

std::optional<ElementKind> KindOf(uint32_t type) {
  switch (type) {
    case 1:
      return ElementKind::kInt8;
    case 2:
      return ElementKind::kUint8;
    case 3:
      return ElementKind::kInt16;
    case 4:
      return ElementKind::kUint16;
    case 5:
      return ElementKind::kInt32;
    case 6:
      return ElementKind::kUint32;
    case 7:
      return ElementKind::kFloat32;
    case 9:
      return ElementKind::kFloat64;
    case 12:
      return ElementKind::kInt64;
    case 13:
      return ElementKind::kUint64;
    default:
      return std::nullopt;
  }
}

[[noreturn]] void ThrowDamaged(const InputFile& file, uint64_t offset, std::string_view fault) {
  throw Error(ErrorKind::kBadData,
              fmt::format("{}: damaged or cut short: {}, at byte {}", file.path(), fault, offset));
}

uint32_t Number(std::span<const std::byte> bytes, bool big_endian) {
  uint32_t number = 0;
  std::memcpy(&number, bytes.data(), sizeof number);
  return big_endian ? __builtin_bswap32(number) : number;
}

struct Tag {
  uint32_t type = 0;
  uint32_t bytes = 0;
  bool is_small = false;  // up to four bytes, which are in the tag's second half
  std::array<std::byte, 4> small = {};
};

Tag ParseTag(std::span<const std::byte, kTagBytes> bytes, bool big_endian) {
  const uint32_t first = Number(bytes.first(4), big_endian);
  Tag tag = {.type = first, .bytes = Number(bytes.subspan(4), big_endian)};
  if (first >> 16 == 0) return tag;
  tag.type = first & 0xffff;
  tag.bytes = first >> 16;
  tag.is_small = true;
  std::copy_n(bytes.begin() + 4, tag.small.size(), tag.small.begin());
  return tag;
}

// Reads what comes before the numbers of one array.
class ArrayParser {
 public:
  ArrayParser(const InputFile& file, const MatlabBytes::Place& place, bool big_endian)
      : file_(file), offset_(place.offset), bytes_(file, place), big_endian_(big_endian) {
    parsed_.element = place;
  }

  Matlab5Array Parse() {
    const Tag matrix = ReadTag();
    if (matrix.is_small || matrix.type != kMatrix) Refuse("expected an array");
    end_ = kTagBytes + matrix.bytes;
    if (end_ > bytes_.MostBytes()) Refuse("an array is longer than its place");
    if (matrix.bytes == 0) return parsed_;
    ReadFlags();
    // Objects of newer classes have no axes.
    if (class_ != kOpaqueClass) ReadAxes();
    ReadName();
    if (parsed_.array.is_numbers) ReadNumbersTag();
    return parsed_;
  }

 private:
  [[noreturn]] void Refuse(std::string_view fault) const { ThrowDamaged(file_, offset_, fault); }

  Tag ReadTag() {
    std::array<std::byte, kTagBytes> bytes = {};
    bytes_.Read(bytes);
    const Tag tag = ParseTag(bytes, big_endian_);
    if (tag.is_small && tag.bytes > tag.small.size()) Refuse("expected a tag of four bytes");
    return tag;
  }

  // The content of the next element, which must be of at most `most` bytes.
  std::vector<std::byte> ReadElement(std::initializer_list<uint32_t> types, size_t most,
                                     std::string_view what) {
    const Tag tag = ReadTag();
    if (std::ranges::find(types, tag.type) == types.end() || tag.bytes > most) {
      Refuse(fmt::format("expected the {} of an array, found {} bytes of type {}", what, tag.bytes,
                         tag.type));
    }
    if (tag.is_small) return {tag.small.begin(), tag.small.begin() + tag.bytes};
    std::vector<std::byte> content((size_t{tag.bytes} + 7) / 8 * 8);
    bytes_.Read(content);
    content.resize(tag.bytes);
    return content;
  }

  void ReadFlags() {
    const std::vector<std::byte> flags = ReadElement({kUint32}, 8, "flags");
    if (flags.size() != 8) Refuse("expected eight bytes of flags");
    const uint32_t word = Number(flags, big_endian_);
    class_ = word & 0xff;
    MatlabArray& array = parsed_.array;
    array.kind = kClasses[class_ < kClasses.size() ? class_ : 0];
    array.is_numbers = class_ >= kFirstNumberClass && class_ <= kLastNumberClass;
    if ((word & kLogicalFlag) != 0 && array.is_numbers) array.kind = "logical";
    if ((word & kComplexFlag) != 0) {
      array.kind = "complex " + array.kind;
      array.is_numbers = false;
    }
  }

  void ReadAxes() {
    const std::vector<std::byte> axes = ReadElement({kInt32}, 4 * kMostAxes, "axes");
    for (size_t i = 0; i + 4 <= axes.size(); i += 4) {
      const auto length = static_cast<int32_t>(Number(std::span(axes).subspan(i), big_endian_));
      if (length < 0) Refuse("an axis of an array is shorter than nothing");
      parsed_.array.shape.push_back(length);
    }
  }

  void ReadName() {
    const std::vector<std::byte> name = ReadElement({kInt8, kUtf8}, kMostNameBytes, "name");
    parsed_.array.name.assign(reinterpret_cast<const char*>(name.data()), name.size());
  }

  void ReadNumbersTag() {
    const MatlabArray& array = parsed_.array;
    if (std::ranges::count(array.shape, 0) > 0) return;
    const Tag tag = ReadTag();
    const std::optional<ElementKind> kind = KindOf(tag.type);
    if (!kind) Refuse(fmt::format("the numbers of an array are of type {}", tag.type));
    parsed_.stored = {*kind, big_endian_ && ElementBytes({*kind, false}) > 1};
    auto bytes = static_cast<int64_t>(ElementBytes(parsed_.stored));
    for (const int64_t length : array.shape) {
      bytes = CheckedProduct(bytes, length, file_.path() + ": the size of an array");
    }
    if (bytes != tag.bytes) {
      Refuse(fmt::format("expected {} bytes of numbers for {}, found {}", bytes,
                         array.Description(), tag.bytes));
    }
    parsed_.numbers_bytes = tag.bytes;
    parsed_.numbers_offset = bytes_.position() - (tag.is_small ? tag.small.size() : 0);
    const uint64_t numbers_end = parsed_.numbers_offset + tag.bytes;
    // Behind the numbers there may be padding to a multiple of eight bytes.
    if (numbers_end > end_ || end_ - numbers_end >= kTagBytes) {
      Refuse(fmt::format("the numbers of {} do not end with their array", array.Description()));
    }
    parsed_.element_end = end_;
  }

  const InputFile& file_;
  uint64_t offset_;
  MatlabBytes bytes_;
  bool big_endian_;
  uint32_t class_ = 0;
  uint64_t end_ = 0;
  Matlab5Array parsed_;
};

bool IsBigEndian(const InputFile& file) {
  if (file.bytes() < kHeaderBytes)
    ThrowDamaged(file, file.bytes(), "expected a header of 128 bytes");
  std::array<char, 2> mark = {};
  file.ReadAt(kEndianOffset, std::as_writable_bytes(std::span(mark)));
  const std::string_view text(mark.data(), mark.size());
  if (text != "IM" && text != "MI") ThrowDamaged(file, kEndianOffset, "expected a byte order");
  return text == "MI";
}

}  // namespace

std::vector<Matlab5Array> ListMatlab5(const InputFile& file) {
  const bool big_endian = IsBigEndian(file);
  std::vector<Matlab5Array> arrays;
  for (uint64_t offset = kHeaderBytes; offset < file.bytes();) {
    if (file.bytes() - offset < kTagBytes) ThrowDamaged(file, offset, "expected a variable");
    std::array<std::byte, kTagBytes> bytes = {};
    file.ReadAt(offset, bytes);
    const Tag tag = ParseTag(bytes, big_endian);
    if (tag.is_small || (tag.type != kMatrix && tag.type != kCompressed)) {
      ThrowDamaged(file, offset, fmt::format("expected a variable, found type {}", tag.type));
    }
    const uint64_t left = file.bytes() - offset - kTagBytes;
    if (tag.bytes > left) {
      ThrowDamaged(file, offset,
                   fmt::format("expected a variable of {} bytes, found {}", tag.bytes, left));
    }
    const MatlabBytes::Place place = tag.type == kCompressed
                                         ? MatlabBytes::Place{offset + kTagBytes, tag.bytes, true}
                                         : MatlabBytes::Place{offset, kTagBytes + tag.bytes, false};
    Matlab5Array parsed = ArrayParser(file, place, big_endian).Parse();
    // What has no name belongs to objects of newer classes.
    if (!parsed.array.name.empty()) arrays.push_back(std::move(parsed));
    if (arrays.size() > kMostArrays) ThrowDamaged(file, offset, "too many variables");
    offset += kTagBytes + tag.bytes;
  }
  return arrays;
}

}  // namespace rhohat
