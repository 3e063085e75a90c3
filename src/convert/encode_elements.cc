#include "convert/encode_elements.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

namespace rhohat {
namespace {

// A binary floating-point format of 16 bits, with `kMantissa` bits behind the point.
template <int kMantissa>
struct SmallFloat {
  static constexpr int kExponentBits = 15 - kMantissa;
  static constexpr int kBias = (1 << (kExponentBits - 1)) - 1;
  static constexpr int kLeastExponent = 1 - kBias;
  static constexpr uint16_t kInfinity = ((1 << kExponentBits) - 1) << kMantissa;
  static constexpr uint16_t kNan = kInfinity | 1 << (kMantissa - 1);

  uint16_t bits;
};
using Half = SmallFloat<10>;
using Bfloat = SmallFloat<7>;

// Bits of a magnitude. With e the exponent of the value, or the least there is for subnormal ones,
// the value is m·2^(e − kMantissa) for an m that rounding makes an integer. A normal m has its
// leading bit at kMantissa, where it adds the 1 by which `e − kLeastExponent` falls short of the
// biased exponent; a subnormal m has none; an m rounded up to the next power of two carries.
template <int kMantissa>
uint16_t MagnitudeBits(double magnitude) {
  using Float = SmallFloat<kMantissa>;
  if (std::isnan(magnitude)) return Float::kNan;
  if (std::isinf(magnitude)) return Float::kInfinity;
  const int exponent = magnitude == 0 ? Float::kLeastExponent
                                      : std::max(std::ilogb(magnitude), Float::kLeastExponent);
  if (exponent > Float::kBias) return Float::kInfinity;
  const double mantissa = std::nearbyint(std::scalbn(magnitude, kMantissa - exponent));
  const int bits = ((exponent - Float::kLeastExponent) << kMantissa) + static_cast<int>(mantissa);
  return static_cast<uint16_t>(bits);
}

template <int kMantissa>
bool Encode(double value, SmallFloat<kMantissa>& out) {
  const uint16_t magnitude = MagnitudeBits<kMantissa>(std::fabs(value));
  out.bits = static_cast<uint16_t>(magnitude | (std::signbit(value) ? 0x8000 : 0));
  return magnitude != SmallFloat<kMantissa>::kInfinity || std::isinf(value);
}

bool Encode(double value, float& out) {
  out = static_cast<float>(value);
  return !std::isinf(out) || std::isinf(value);
}

bool Encode(double value, double& out) {
  out = value;
  return true;
}

template <class Integer>
requires std::is_integral_v<Integer>
bool Encode(double value, Integer& out) {
  // Both limits are exact in double: the upper one is a power of two, the first not to fit.
  constexpr double kLeast = static_cast<double>(std::numeric_limits<Integer>::min());
  const double past_most = std::ldexp(1.0, std::numeric_limits<Integer>::digits);
  const double rounded = std::nearbyint(value);
  if (!(rounded >= kLeast && rounded < past_most)) return false;
  out = static_cast<Integer>(rounded);
  return true;
}

// The nearest integer of the type; false for NaN.
template <class Integer>
bool Clip(double value, std::byte* out) {
  Integer nearest = 0;
  if (std::isnan(value)) return false;
  if (!Encode(value, nearest)) {
    nearest = value < 0 ? std::numeric_limits<Integer>::min() : std::numeric_limits<Integer>::max();
  }
  std::memcpy(out, &nearest, sizeof(nearest));
  return true;
}

double LargestOf(ElementKind floating) {
  switch (floating) {
    case ElementKind::kFloat16:
      return 65504;
    case ElementKind::kBfloat16:
      return 0x1.FEp127;
    case ElementKind::kFloat32:
      return std::numeric_limits<float>::max();
    default:
      return std::numeric_limits<double>::max();
  }
}

template <class Stored>
size_t EncodeAll(std::span<const double> values, std::byte* out) {
  for (size_t i = 0; i < values.size(); ++i) {
    Stored element;
    if (!Encode(values[i], element)) return i;
    std::memcpy(out + i * sizeof(Stored), &element, sizeof(Stored));
  }
  return values.size();
}

// What decides which numbers a type holds. `digits` are binary digits, without the sign.
struct Range {
  ElementKind kind;
  bool is_signed;
  bool is_float;
  int digits;
  int exponent;  // the largest; numbers below 2^(exponent + 1) are in range
};

template <class Integer>
constexpr Range IntegerRange(ElementKind kind) {
  using Limits = std::numeric_limits<Integer>;
  return {kind, Limits::is_signed, false, Limits::digits, Limits::digits - 1};
}

// Narrow before wide, so that the first that holds both is the smallest.
constexpr std::array<Range, 12> kRanges = {{IntegerRange<uint8_t>(ElementKind::kUint8),
                                            IntegerRange<int8_t>(ElementKind::kInt8),
                                            IntegerRange<uint16_t>(ElementKind::kUint16),
                                            IntegerRange<int16_t>(ElementKind::kInt16),
                                            {ElementKind::kFloat16, true, true, 11, 15},
                                            {ElementKind::kBfloat16, true, true, 8, 127},
                                            IntegerRange<uint32_t>(ElementKind::kUint32),
                                            IntegerRange<int32_t>(ElementKind::kInt32),
                                            {ElementKind::kFloat32, true, true, 24, 127},
                                            IntegerRange<uint64_t>(ElementKind::kUint64),
                                            IntegerRange<int64_t>(ElementKind::kInt64),
                                            {ElementKind::kFloat64, true, true, 53, 1023}}};

const Range& RangeOf(ElementKind kind) {
  size_t index = 0;
  while (kRanges[index].kind != kind) ++index;
  return kRanges[index];
}

bool Holds(const Range& type, const Range& other) {
  return (type.is_float || !other.is_float) && (type.is_signed || !other.is_signed) &&
         type.digits >= other.digits && type.exponent >= other.exponent;
}

}  // namespace

size_t EncodeElements(std::span<const double> values, ElementKind kind, std::byte* out) {
  switch (kind) {
    case ElementKind::kInt8:
      return EncodeAll<int8_t>(values, out);
    case ElementKind::kUint8:
      return EncodeAll<uint8_t>(values, out);
    case ElementKind::kInt16:
      return EncodeAll<int16_t>(values, out);
    case ElementKind::kUint16:
      return EncodeAll<uint16_t>(values, out);
    case ElementKind::kInt32:
      return EncodeAll<int32_t>(values, out);
    case ElementKind::kUint32:
      return EncodeAll<uint32_t>(values, out);
    case ElementKind::kInt64:
      return EncodeAll<int64_t>(values, out);
    case ElementKind::kUint64:
      return EncodeAll<uint64_t>(values, out);
    case ElementKind::kFloat16:
      return EncodeAll<Half>(values, out);
    case ElementKind::kBfloat16:
      return EncodeAll<Bfloat>(values, out);
    case ElementKind::kFloat32:
      return EncodeAll<float>(values, out);
    case ElementKind::kFloat64:
      return EncodeAll<double>(values, out);
  }
  return 0;
}

bool EncodeClipped(double value, ElementKind kind, std::byte* out) {
  switch (kind) {
    case ElementKind::kInt8:
      return Clip<int8_t>(value, out);
    case ElementKind::kUint8:
      return Clip<uint8_t>(value, out);
    case ElementKind::kInt16:
      return Clip<int16_t>(value, out);
    case ElementKind::kUint16:
      return Clip<uint16_t>(value, out);
    case ElementKind::kInt32:
      return Clip<int32_t>(value, out);
    case ElementKind::kUint32:
      return Clip<uint32_t>(value, out);
    case ElementKind::kInt64:
      return Clip<int64_t>(value, out);
    case ElementKind::kUint64:
      return Clip<uint64_t>(value, out);
    case ElementKind::kFloat16:
    case ElementKind::kBfloat16:
    case ElementKind::kFloat32:
    case ElementKind::kFloat64:
      break;
  }
  const double most = LargestOf(kind);
  const double clipped = std::isinf(value) ? value : std::clamp(value, -most, most);
  return EncodeElements(std::span(&clipped, 1), kind, out) == 1;
}

ElementType CommonType(ElementType a, ElementType b) {
  const Range& range_a = RangeOf(a.kind);
  const Range& range_b = RangeOf(b.kind);
  for (const Range& range : kRanges) {
    if (Holds(range, range_a) && Holds(range, range_b)) return {range.kind, false};
  }
  return {ElementKind::kFloat64, false};
}

}  // namespace rhohat
