#include "data/hdf5_type.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <optional>

#include "rhohat/error.h"

namespace rhohat {
namespace {

// NumPy's complex numbers, as h5py stores them: records of "r" and "i".
bool IsComplex(hid_t type) {
  return H5Tget_class(type) == H5T_COMPOUND && H5Tget_nmembers(type) == 2 &&
         H5Tget_member_index(type, "r") == 0 && H5Tget_member_index(type, "i") == 1;
}

}  // namespace

const char* NotNumbersName(hid_t type) {
  if (IsComplex(type)) return "complex numbers";
  switch (H5Tget_class(type)) {
    case H5T_STRING:
      return "strings";
    case H5T_COMPOUND:
      return "compound records";
    case H5T_REFERENCE:
      return "references";
    case H5T_VLEN:
      return "variable-length lists";
    case H5T_ARRAY:
      return "arrays";
    case H5T_OPAQUE:
      return "opaque bytes";
    case H5T_TIME:
      return "times";
    case H5T_BITFIELD:
      return "bit fields";
    default:
      return "something that is not numbers";
  }
}

namespace {

struct FloatLayout {
  ElementKind kind;
  size_t bytes;
  size_t exponent_position;
  size_t exponent_bits;
  size_t mantissa_bits;
  size_t exponent_bias;
};

constexpr std::array<FloatLayout, 4> kFloatLayouts = {{
    {ElementKind::kFloat16, 2, 10, 5, 10, 15},
    {ElementKind::kBfloat16, 2, 7, 8, 7, 127},
    {ElementKind::kFloat32, 4, 23, 8, 23, 127},
    {ElementKind::kFloat64, 8, 52, 11, 52, 1023},
}};

std::optional<ElementKind> PlainInteger(hid_t type) {
  const size_t bytes = H5Tget_size(type);
  if (H5Tget_precision(type) != 8 * bytes) return std::nullopt;
  const bool is_signed = H5Tget_sign(type) == H5T_SGN_2;
  switch (bytes) {
    case 1:
      return is_signed ? ElementKind::kInt8 : ElementKind::kUint8;
    case 2:
      return is_signed ? ElementKind::kInt16 : ElementKind::kUint16;
    case 4:
      return is_signed ? ElementKind::kInt32 : ElementKind::kUint32;
    case 8:
      return is_signed ? ElementKind::kInt64 : ElementKind::kUint64;
    default:
      return std::nullopt;
  }
}

std::optional<ElementKind> PlainFloat(hid_t type) {
  const size_t bytes = H5Tget_size(type);
  size_t sign = 0;
  size_t exponent_position = 0;
  size_t exponent_bits = 0;
  size_t mantissa_position = 0;
  size_t mantissa_bits = 0;
  if (H5Tget_fields(type, &sign, &exponent_position, &exponent_bits, &mantissa_position,
                    &mantissa_bits) < 0) {
    return std::nullopt;
  }
  for (const FloatLayout& layout : kFloatLayouts) {
    if (bytes == layout.bytes && H5Tget_precision(type) == 8 * bytes && sign == 8 * bytes - 1 &&
        exponent_position == layout.exponent_position && exponent_bits == layout.exponent_bits &&
        mantissa_position == 0 && mantissa_bits == layout.mantissa_bits &&
        H5Tget_ebias(type) == layout.exponent_bias && H5Tget_norm(type) == H5T_NORM_IMPLIED) {
      return layout.kind;
    }
  }
  return std::nullopt;
}

MemoryType ConvertedByLibrary(H5T_class_t type_class, bool is_signed) {
  if (type_class == H5T_FLOAT) {
    return {{ElementKind::kFloat64, false}, {H5Tcopy(H5T_NATIVE_DOUBLE), H5Tclose}};
  }
  if (is_signed) return {{ElementKind::kInt64, false}, {H5Tcopy(H5T_NATIVE_INT64), H5Tclose}};
  return {{ElementKind::kUint64, false}, {H5Tcopy(H5T_NATIVE_UINT64), H5Tclose}};
}

}  // namespace

MemoryType MemoryTypeOf(hid_t stored, const std::string& where) {
  const H5T_class_t outer_class = H5Tget_class(stored);
  // An enumeration's values are its base type's, byte for byte.
  Hdf5Handle number(outer_class == H5T_ENUM ? H5Tget_super(stored) : H5Tcopy(stored), H5Tclose);
  const H5T_class_t type_class = H5Tget_class(number.id());
  if (type_class != H5T_INTEGER && type_class != H5T_FLOAT) {
    throw Error(ErrorKind::kBadData,
                fmt::format("{}: holds {}, not integers or floating-point numbers", where,
                            NotNumbersName(number.id())));
  }
  // The library believes damaged types, makes room in proportion and reads beyond it.
  constexpr size_t kLongestNumber = 16;
  const size_t bytes = H5Tget_size(number.id());
  const auto lowest_bit = static_cast<size_t>(std::max(0, H5Tget_offset(number.id())));
  const size_t bits = lowest_bit + H5Tget_precision(number.id());
  if (bytes > kLongestNumber || bits > 8 * bytes) {
    throw Error(ErrorKind::kBadData,
                fmt::format("{}: holds numbers of {} bits in {} bytes; expected at most {} bytes",
                            where, bits, bytes, kLongestNumber));
  }
  const H5T_order_t order = H5Tget_order(number.id());
  const std::optional<ElementKind> kind =
      type_class == H5T_INTEGER ? PlainInteger(number.id()) : PlainFloat(number.id());
  const bool plain_order =
      order == H5T_ORDER_LE || order == H5T_ORDER_BE || order == H5T_ORDER_NONE;
  if (!kind || !plain_order) {
    if (outer_class == H5T_ENUM) {
      throw Error(ErrorKind::kBadData,
                  fmt::format("{}: holds an enumeration of unusual integers", where));
    }
    return ConvertedByLibrary(type_class, H5Tget_sign(number.id()) == H5T_SGN_2);
  }
  ElementType element{*kind, false};
  element.big_endian = order == H5T_ORDER_BE && ElementBytes(element) > 1;
  return {element, {H5Tcopy(stored), H5Tclose}};
}

hid_t Hdf5TypeOf(ElementType type) {
  switch (type.kind) {
    case ElementKind::kInt8:
      return H5T_STD_I8LE;
    case ElementKind::kUint8:
      return H5T_STD_U8LE;
    case ElementKind::kInt16:
      return type.big_endian ? H5T_STD_I16BE : H5T_STD_I16LE;
    case ElementKind::kUint16:
      return type.big_endian ? H5T_STD_U16BE : H5T_STD_U16LE;
    case ElementKind::kInt32:
      return type.big_endian ? H5T_STD_I32BE : H5T_STD_I32LE;
    case ElementKind::kUint32:
      return type.big_endian ? H5T_STD_U32BE : H5T_STD_U32LE;
    case ElementKind::kInt64:
      return type.big_endian ? H5T_STD_I64BE : H5T_STD_I64LE;
    case ElementKind::kUint64:
      return type.big_endian ? H5T_STD_U64BE : H5T_STD_U64LE;
    case ElementKind::kFloat32:
      return type.big_endian ? H5T_IEEE_F32BE : H5T_IEEE_F32LE;
    case ElementKind::kFloat64:
      return type.big_endian ? H5T_IEEE_F64BE : H5T_IEEE_F64LE;
    case ElementKind::kFloat16:
    case ElementKind::kBfloat16:
      break;
  }
  // The two 16-bit floats have no predefined type in this version of the library.
  static const auto make = [](bool bfloat, bool big_endian) {
    const hid_t made = H5Tcopy(big_endian ? H5T_IEEE_F32BE : H5T_IEEE_F32LE);
    const FloatLayout& layout = kFloatLayouts[bfloat ? 1 : 0];
    H5Tset_fields(made, 15, layout.exponent_position, layout.exponent_bits, 0,
                  layout.mantissa_bits);
    H5Tset_size(made, 2);
    H5Tset_ebias(made, layout.exponent_bias);
    return made;
  };
  static const std::array<std::array<hid_t, 2>, 2> kMade = {
      {{make(false, false), make(false, true)}, {make(true, false), make(true, true)}}};
  return kMade[type.kind == ElementKind::kBfloat16 ? 1 : 0][type.big_endian ? 1 : 0];
}

}  // namespace rhohat
