#include "data/decode.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "data/row_source.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

// An unsigned integer of the same size.
template <class T>
using BitsOf =
    std::conditional_t<sizeof(T) == 1, uint8_t,
                       std::conditional_t<sizeof(T) == 2, uint16_t,
                                          std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>>>;

uint8_t SwapBytes(uint8_t bits) { return bits; }
uint16_t SwapBytes(uint16_t bits) { return __builtin_bswap16(bits); }
uint32_t SwapBytes(uint32_t bits) { return __builtin_bswap32(bits); }
uint64_t SwapBytes(uint64_t bits) { return __builtin_bswap64(bits); }

// Half precision by exponent arithmetic: multiplying by 2^112 moves the exponent's bias from 15 to
// 127 and normalises subnormal numbers on the way; what was all ones must be all ones again.
struct Half {
  uint16_t bits;
  explicit operator float() const {
    const uint32_t magnitude = static_cast<uint32_t>(bits & 0x7FFF) << 13;
    const float scaled = std::bit_cast<float>(magnitude) * 0x1p112F;
    const uint32_t special = (bits & 0x7C00) == 0x7C00 ? 0x7F800000U : 0U;
    const uint32_t sign = static_cast<uint32_t>(bits & 0x8000) << 16;
    return std::bit_cast<float>(std::bit_cast<uint32_t>(scaled) | special | sign);
  }
  explicit operator double() const { return static_cast<double>(static_cast<float>(*this)); }
};

struct Bfloat {
  uint16_t bits;
  explicit operator float() const {
    return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
  }
  explicit operator double() const { return static_cast<double>(static_cast<float>(*this)); }
};

template <class Stored, bool kSwap, class T>
void Convert(const std::byte* raw, T* out, size_t count) {
  using Bits = BitsOf<Stored>;
  for (size_t i = 0; i < count; ++i) {
    Bits bits;
    std::memcpy(&bits, raw + i * sizeof(Bits), sizeof(Bits));
    if constexpr (kSwap) bits = SwapBytes(bits);
    out[i] = static_cast<T>(std::bit_cast<Stored>(bits));
  }
}

template <class Stored, class T>
void ConvertEitherOrder(bool big_endian, const std::byte* raw, std::span<T> out) {
  if (big_endian) {
    Convert<Stored, true>(raw, out.data(), out.size());
  } else {
    Convert<Stored, false>(raw, out.data(), out.size());
  }
}

// What to say of the first of `values` that is not finite in T; `values` begin at a row's column.
template <class T>
[[noreturn]] void ThrowNotFinite(const RowSource& source, int64_t row, int64_t first_column,
                                 std::span<const T> values, ElementType type,
                                 const std::byte* raw) {
  size_t index = 0;
  while (std::isfinite(values[index])) ++index;
  double stored = 0;
  DecodeElements(type, raw + index * ElementBytes(type), std::span(&stored, 1));
  const bool square_fits = std::abs(stored) < std::sqrt(std::numeric_limits<double>::max());
  const char* what = std::isnan(stored)   ? "is NaN (not a number)"
                     : std::isinf(stored) ? "is infinite"
                     : square_fits        ? "is too large for float32; use --precision float64"
                                   : "is too large: its square is infinite, in float64 too; scale "
                                     "the data ('rhohat convert --scale')";
  throw Error(ErrorKind::kBadData,
              source.Locate(row) + ", " +
                  source.ColumnName(first_column + static_cast<int64_t>(index)) + ": the value " +
                  what);
}

}  // namespace

template <class T>
void ConvertElements(ElementType type, const std::byte* raw, std::span<T> out) {
  const bool big = type.big_endian;
  switch (type.kind) {
    case ElementKind::kInt8:
      return ConvertEitherOrder<int8_t>(big, raw, out);
    case ElementKind::kUint8:
      return ConvertEitherOrder<uint8_t>(big, raw, out);
    case ElementKind::kInt16:
      return ConvertEitherOrder<int16_t>(big, raw, out);
    case ElementKind::kUint16:
      return ConvertEitherOrder<uint16_t>(big, raw, out);
    case ElementKind::kInt32:
      return ConvertEitherOrder<int32_t>(big, raw, out);
    case ElementKind::kUint32:
      return ConvertEitherOrder<uint32_t>(big, raw, out);
    case ElementKind::kInt64:
      return ConvertEitherOrder<int64_t>(big, raw, out);
    case ElementKind::kUint64:
      return ConvertEitherOrder<uint64_t>(big, raw, out);
    case ElementKind::kFloat16:
      return ConvertEitherOrder<Half>(big, raw, out);
    case ElementKind::kBfloat16:
      return ConvertEitherOrder<Bfloat>(big, raw, out);
    case ElementKind::kFloat32:
      return ConvertEitherOrder<float>(big, raw, out);
    case ElementKind::kFloat64:
      return ConvertEitherOrder<double>(big, raw, out);
  }
}

namespace {

template <class T>
[[gnu::always_inline]] inline bool AllFiniteInline(std::span<const T> values) {
  // Not finite is: all bits of the exponent are ones.
  using Bits = BitsOf<T>;
  const Bits exponent = std::bit_cast<Bits>(std::numeric_limits<T>::infinity());
  Bits special = 0;
  for (const T& value : values) {
    special |= static_cast<Bits>((std::bit_cast<Bits>(value) & exponent) == exponent ? 1 : 0);
  }
  return special == 0;
}

// The same of values that are copied, as they need not lie where numbers may.
template <class T>
[[gnu::always_inline]] inline bool CopyFiniteInline(const std::byte* raw, std::span<T> out) {
  using Bits = BitsOf<T>;
  const Bits exponent = std::bit_cast<Bits>(std::numeric_limits<T>::infinity());
  Bits special = 0;
  for (size_t i = 0; i < out.size(); ++i) {
    Bits bits;
    std::memcpy(&bits, raw + i * sizeof(Bits), sizeof(Bits));
    special |= static_cast<Bits>((bits & exponent) == exponent ? 1 : 0);
    out[i] = std::bit_cast<T>(bits);
  }
  return special == 0;
}

#if defined(__x86_64__)
// Every value of every pass comes by here: three times as fast.
template <class T>
[[gnu::target("avx2")]] bool AllFiniteAvx2(std::span<const T> values) {
  return AllFiniteInline(values);
}
template <class T>
[[gnu::target("avx2")]] bool CopyFiniteAvx2(const std::byte* raw, std::span<T> out) {
  return CopyFiniteInline(raw, out);
}
bool HasAvx2() {
  static const bool has_avx2 = __builtin_cpu_supports("avx2") != 0;
  return has_avx2;
}
#endif

template <class T>
bool CopyFinite(const std::byte* raw, std::span<T> out) {
#if defined(__x86_64__)
  if (HasAvx2()) return CopyFiniteAvx2(raw, out);
#endif
  return CopyFiniteInline(raw, out);
}

}  // namespace

template <class T>
bool AllFinite(std::span<const T> values) {
#if defined(__x86_64__)
  if (HasAvx2()) return AllFiniteAvx2(values);
#endif
  return AllFiniteInline(values);
}

template <class T>
bool DecodeElements(ElementType type, const std::byte* raw, std::span<T> out) {
  if (type == kNativeType<T>) return CopyFinite(raw, out);
  ConvertElements(type, raw, out);
  return !IsFloatingPoint(type) || AllFinite(std::span<const T>(out));
}

template <class T>
void DecodeRows(const RowSource& source, const RawRows& raw, std::span<T> out) {
  const auto columns = static_cast<size_t>(source.columns());
  for (const RawRows::Piece& piece : raw.pieces) {
    const auto run = static_cast<size_t>(piece.columns);
    if (run == columns && piece.row_stride == columns * ElementBytes(piece.type)) {
      const std::span<T> values = out.subspan(static_cast<size_t>(piece.first_row) * columns,
                                              static_cast<size_t>(piece.rows) * columns);
      if (DecodeElements(piece.type, piece.data, values)) continue;
    }
    for (int64_t i = 0; i < piece.rows; ++i) {
      const int64_t row = piece.first_row + i;
      const std::byte* stored = piece.data + static_cast<size_t>(i) * piece.row_stride;
      const std::span<T> values = out.subspan(
          static_cast<size_t>(row) * columns + static_cast<size_t>(piece.first_column), run);
      if (!DecodeElements(piece.type, stored, values)) {
        ThrowNotFinite(source, raw.range.begin + row, piece.first_column,
                       std::span<const T>(values), piece.type, stored);
      }
    }
  }
}

template void ConvertElements(ElementType, const std::byte*, std::span<float>);
template void ConvertElements(ElementType, const std::byte*, std::span<double>);
template bool AllFinite(std::span<const float>);
template bool AllFinite(std::span<const double>);
template bool DecodeElements(ElementType, const std::byte*, std::span<float>);
template bool DecodeElements(ElementType, const std::byte*, std::span<double>);
template void DecodeRows(const RowSource&, const RawRows&, std::span<float>);
template void DecodeRows(const RowSource&, const RawRows&, std::span<double>);

}  // namespace rhohat
