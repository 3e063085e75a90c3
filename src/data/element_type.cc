#include "data/element_type.h"

#include <fmt/core.h>

#include <array>
#include <bit>
#include <vector>

#include "base/text.h"
#include "rhohat/error.h"

namespace rhohat {

// Stored bytes are reinterpreted as this machine's numbers all over this layer.
static_assert(std::endian::native == std::endian::little, "rhohat needs a little-endian machine");

namespace {

struct KindRow {
  ElementKind kind;
  const char* name;
  size_t bytes;
};

constexpr std::array<KindRow, 12> kKinds = {{
    {ElementKind::kInt8, "int8", 1},
    {ElementKind::kUint8, "uint8", 1},
    {ElementKind::kInt16, "int16", 2},
    {ElementKind::kUint16, "uint16", 2},
    {ElementKind::kInt32, "int32", 4},
    {ElementKind::kUint32, "uint32", 4},
    {ElementKind::kInt64, "int64", 8},
    {ElementKind::kUint64, "uint64", 8},
    {ElementKind::kFloat16, "float16", 2},
    {ElementKind::kBfloat16, "bfloat16", 2},
    {ElementKind::kFloat32, "float32", 4},
    {ElementKind::kFloat64, "float64", 8},
}};

const KindRow& RowOf(ElementKind kind) { return kKinds[static_cast<size_t>(kind)]; }

}  // namespace

size_t ElementBytes(ElementType type) { return RowOf(type.kind).bytes; }

bool IsFloatingPoint(ElementType type) { return type.kind >= ElementKind::kFloat16; }

std::string ElementName(ElementType type) {
  return fmt::format("{}{}", RowOf(type.kind).name, type.big_endian ? "-be" : "");
}

ElementType ParseElementType(std::string_view name) {
  const bool big_endian = name.ends_with("-be");
  const std::string_view bare = big_endian ? name.substr(0, name.size() - 3) : name;
  std::vector<std::string> known;
  for (const KindRow& row : kKinds) {
    if (bare == row.name) return {row.kind, big_endian && row.bytes > 1};
    known.emplace_back(row.name);
  }
  throw Error(ErrorKind::kUsage,
              fmt::format("'{}' is not a type: there are {}", name, JoinNames(known)));
}

}  // namespace rhohat
