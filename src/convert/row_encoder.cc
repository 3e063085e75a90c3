#include "convert/row_encoder.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "convert/encode_elements.h"
#include "data/decode.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

// Elements converted at a time: their doubles stay in the fastest cache.
constexpr size_t kSliceElements = 2048;

void Copy(ElementType type, const std::byte* raw, size_t count, std::byte* out) {
  const size_t size = ElementBytes(type);
  if (!type.big_endian) {
    std::memcpy(out, raw, count * size);
    return;
  }
  for (size_t i = 0; i < count * size; i += size) {
    std::reverse_copy(raw + i, raw + i + size, out + i);
  }
}

// Between the two 64-bit integers numbers cannot pass through double, which has 53 bits. Those that
// fit both have a leading bit of zero and are the same in both.
bool AreWideIntegers(ElementKind a, ElementKind b) {
  const auto wide = [](ElementKind kind) {
    return kind == ElementKind::kInt64 || kind == ElementKind::kUint64;
  };
  return wide(a) && wide(b);
}

size_t CountWithoutLeadingBit(const std::byte* little_endian, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if ((little_endian[8 * i + 7] & std::byte{0x80}) != std::byte{0}) return i;
  }
  return count;
}

[[noreturn]] void ThrowDoesNotFit(const RowSource& source, int64_t row, int64_t column,
                                  double value, ElementKind output) {
  throw Error(ErrorKind::kBadData,
              fmt::format("{}, column {}: {} does not fit {}; choose another --dtype",
                          source.Locate(row), column, value, ElementName({output, false})));
}

}  // namespace

std::span<const std::byte> RowEncoder::Encode(const RowSource& source, const RawRows& raw) {
  const auto columns = static_cast<size_t>(source.columns());
  const size_t element_bytes = ElementBytes({output_, false});
  encoded_.resize(static_cast<size_t>(raw.range.size()) * columns * element_bytes);
  for (const RawRows::Piece& piece : raw.pieces) {
    const size_t run = static_cast<size_t>(piece.columns);
    for (int64_t i = 0; i < piece.rows; ++i) {
      const std::byte* stored = piece.data + static_cast<size_t>(i) * piece.row_stride;
      const int64_t row = piece.first_row + i;
      const size_t first =
          static_cast<size_t>(row) * columns + static_cast<size_t>(piece.first_column);
      const size_t fitting =
          EncodePiece(piece.type, stored, run, encoded_.data() + first * element_bytes);
      if (fitting == run) continue;
      double value = 0;
      DecodeElements(piece.type, stored + fitting * ElementBytes(piece.type), std::span(&value, 1));
      ThrowDoesNotFit(source, raw.range.begin + row,
                      piece.first_column + static_cast<int64_t>(fitting),
                      scale_ == 0 ? value : value * scale_, output_);
    }
  }
  return encoded_;
}

size_t RowEncoder::EncodePiece(ElementType type, const std::byte* raw, size_t count,
                               std::byte* out) const {
  if (scale_ == 0 && type.kind == output_) {
    Copy(type, raw, count, out);
    return count;
  }
  if (scale_ == 0 && AreWideIntegers(type.kind, output_)) {
    Copy(type, raw, count, out);
    return CountWithoutLeadingBit(out, count);
  }
  return Recompute(type, raw, count, out);
}

size_t RowEncoder::Recompute(ElementType type, const std::byte* raw, size_t count,
                             std::byte* out) const {
  std::array<double, kSliceElements> buffer;
  for (size_t done = 0; done < count; done += kSliceElements) {
    const auto values = std::span(buffer).first(std::min(kSliceElements, count - done));
    DecodeElements(type, raw + done * ElementBytes(type), values);
    if (scale_ != 0) {
      for (double& value : values) value *= scale_;
    }
    const size_t fitting =
        EncodeElements(values, output_, out + done * ElementBytes({output_, false}));
    if (fitting < values.size()) return done + fitting;
  }
  return count;
}

}  // namespace rhohat
