#include "formats/npy_type.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "rhohat/error.h"

namespace rhohat {
namespace {

struct NamedKind {
  std::string_view name;
  ElementKind kind;
};

// NumPy's letter and size, without the byte order.
constexpr std::array<NamedKind, 12> kKinds = {{{"b1", ElementKind::kUint8},
                                               {"i1", ElementKind::kInt8},
                                               {"u1", ElementKind::kUint8},
                                               {"i2", ElementKind::kInt16},
                                               {"u2", ElementKind::kUint16},
                                               {"i4", ElementKind::kInt32},
                                               {"u4", ElementKind::kUint32},
                                               {"i8", ElementKind::kInt64},
                                               {"u8", ElementKind::kUint64},
                                               {"f2", ElementKind::kFloat16},
                                               {"f4", ElementKind::kFloat32},
                                               {"f8", ElementKind::kFloat64}}};

// What else there is, by the start of its name without the byte order, and the way out of it.
struct OtherType {
  std::string_view start;
  std::string_view what;
  std::string_view way_out;
};

constexpr std::array<OtherType, 11> kOthers = {{
    {"O", "Python objects", "stack them to one array of numbers, as with numpy.stack(list(array))"},
    {"[", "records", "use numpy.lib.recfunctions.structured_to_unstructured(array)"},
    {"c", "complex numbers", "save numpy.hstack([array.real, array.imag])"},
    {"f16", "extended floats", "convert it with array.astype('float64')"},
    {"f12", "extended floats", "convert it with array.astype('float64')"},
    {"M8", "dates", "convert it with array.astype('int64')"},
    {"m8", "durations", "convert it with array.astype('int64')"},
    {"U", "text", "convert it with array.astype('float32')"},
    {"S", "text", "convert it with array.astype('float32')"},
    {"V", "bytes without a type", "convert it with array.astype('float32') before it is saved"},
    {"", "an unknown type", "convert it with array.astype('float32')"},
}};

std::string_view WithoutOrder(std::string_view descr) {
  const bool has_order = !descr.empty() && std::string_view("<>=|").find(descr[0]) != descr.npos;
  return descr.substr(has_order ? 1 : 0);
}

}  // namespace

std::optional<ElementType> FindNpyType(std::string_view descr) {
  const std::string_view name = WithoutOrder(descr);
  if (name.size() == descr.size()) return std::nullopt;
  const auto* const known = std::ranges::find(kKinds, name, &NamedKind::name);
  if (known == kKinds.end()) return std::nullopt;
  // '=' is this machine's byte order, which is little-endian (data/element_type.cc); '|' is none.
  const bool has_ends = ElementBytes({known->kind, false}) > 1;
  return ElementType{known->kind, descr[0] == '>' && has_ends};
}

ElementType NpyType(std::string_view descr, const std::string& path) {
  if (const auto type = FindNpyType(descr)) return *type;
  const std::string_view name = WithoutOrder(descr);
  const auto* const other = std::ranges::find_if(
      kOthers, [&](const OtherType& type) { return name.starts_with(type.start); });
  throw Error(ErrorKind::kBadData,
              fmt::format("{}: expected an array of integers or of 2-, 4- or 8-byte floats, found "
                          "{} (dtype {}); {}",
                          path, other->what, Printable(descr), other->way_out));
}

bool IsNpyBoolean(std::string_view descr) { return WithoutOrder(descr) == "b1"; }

std::string Printable(std::string_view text) {
  constexpr size_t kMostShown = 60;
  std::string shown(text.substr(0, kMostShown));
  std::ranges::replace_if(
      shown, [](char c) { return c < ' ' || c > '~'; }, '?');
  return text.size() > kMostShown ? shown + "…" : shown;
}

}  // namespace rhohat
