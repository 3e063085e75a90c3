// The types that stored numbers may have.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace rhohat {

enum class ElementKind : uint8_t {
  kInt8,
  kUint8,
  kInt16,
  kUint16,
  kInt32,
  kUint32,
  kInt64,
  kUint64,
  kFloat16,   // IEEE binary16
  kBfloat16,  // the upper half of a float32
  kFloat32,
  kFloat64,
};

struct ElementType {
  ElementKind kind = ElementKind::kFloat32;
  bool big_endian = false;

  friend bool operator==(const ElementType&, const ElementType&) = default;
};

// Of T in memory.
template <class T>
inline constexpr ElementType kNativeType;
template <>
inline constexpr ElementType kNativeType<float>{ElementKind::kFloat32, false};
template <>
inline constexpr ElementType kNativeType<double>{ElementKind::kFloat64, false};

// Bytes of one element: 1, 2, 4 or 8.
size_t ElementBytes(ElementType type);
bool IsFloatingPoint(ElementType type);

// "float32", "uint8", "int16-be", …
std::string ElementName(ElementType type);

// The reverse. Throws Error(kUsage) for anything else, listing the names there are.
ElementType ParseElementType(std::string_view name);

}  // namespace rhohat
