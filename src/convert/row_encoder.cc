#include "convert/row_encoder.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

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

bool IsWideInteger(ElementKind kind) {
  return kind == ElementKind::kInt64 || kind == ElementKind::kUint64;
}

// Between the two 64-bit integers numbers cannot pass through double, which has 53 bits. Those that
// fit both have a leading bit of zero and are the same in both.
bool AreWideIntegers(ElementKind a, ElementKind b) { return IsWideInteger(a) && IsWideInteger(b); }

bool HasLeadingBit(const std::byte* little_endian) {
  return (little_endian[7] & std::byte{0x80}) != std::byte{0};
}

// The 64-bit integer at `raw`: its magnitude, and whether it is negative.
struct WideInteger {
  WideInteger(ElementType type, const std::byte* raw) {
    std::array<std::byte, 8> bytes;
    Copy(type, raw, 1, bytes.data());
    magnitude = std::bit_cast<uint64_t>(bytes);
    negative = type.kind == ElementKind::kInt64 && magnitude >> 63 != 0;
    if (negative) magnitude = -magnitude;
  }
  uint64_t magnitude;
  bool negative;
};

// The integer as a float64 that rounds to a smaller float as the integer itself would. What float64
// has no digits for is gathered in one bit below those of any smaller float, so that it still tells
// a tie from what is beside it.
double WithoutDoubleRounding(WideInteger integer) {
  constexpr int kGatheredBits = 11;
  constexpr uint64_t kGathered = (uint64_t{1} << kGatheredBits) - 1;
  uint64_t magnitude = integer.magnitude;
  if (magnitude >> 53 != 0 && (magnitude & kGathered) != 0) {
    magnitude = (magnitude & ~kGathered) | (kGathered + 1);
  }
  const auto value = static_cast<double>(magnitude);
  return integer.negative ? -value : value;
}

std::string ShowValue(ElementType type, const std::byte* raw, double value) {
  if (!IsWideInteger(type.kind)) return fmt::format("{}", value);
  const WideInteger integer(type, raw);
  return fmt::format("{}{}", integer.negative ? "-" : "", integer.magnitude);
}

// `clippable`: NaN has no nearest value.
[[noreturn]] void ThrowDoesNotFit(const RowSource& source, int64_t row, int64_t column,
                                  std::string_view value, bool clippable, ElementKind output) {
  throw Error(ErrorKind::kBadData,
              fmt::format("{}, {}: {} does not fit {}; choose another --dtype{}",
                          source.Locate(row), source.ColumnName(column), value,
                          ElementName({output, false}), clippable ? ", or --clip it" : ""));
}

}  // namespace

std::span<const std::byte> RowEncoder::Encode(const RowSource& source, const RawRows& raw) {
  const auto columns = static_cast<size_t>(source.columns());
  if (const std::byte* as_they_are = InPlace(source, raw)) {
    return {as_they_are, static_cast<size_t>(raw.range.size()) * columns *
                             ElementBytes({encoding_.type, false})};
  }
  encoded_.resize(static_cast<size_t>(raw.range.size()) * columns *
                  ElementBytes({encoding_.type, false}));
  for (const RawRows::Piece& piece : raw.pieces) {
    auto run = static_cast<size_t>(piece.columns);
    int64_t runs = piece.rows;
    if (run == columns && piece.row_stride == run * ElementBytes(piece.type)) {
      run *= static_cast<size_t>(runs);  // rows without gaps
      runs = 1;
    }
    for (int64_t i = 0; i < runs; ++i) {
      const size_t first = static_cast<size_t>(piece.first_row + i) * columns +
                           static_cast<size_t>(piece.first_column);
      EncodeRun(source, raw.range.begin, first,
                {piece.type, piece.data + static_cast<size_t>(i) * piece.row_stride, run});
    }
  }
  return encoded_;
}

// Where the rows lie already as they are wanted, if they do.
const std::byte* RowEncoder::InPlace(const RowSource& source, const RawRows& raw) const {
  if (encoding_.scale != 0 || raw.pieces.size() != 1) return nullptr;
  const RawRows::Piece& piece = raw.pieces.front();
  const bool as_wanted =
      piece.type == ElementType{encoding_.type, false} && piece.columns == source.columns() &&
      piece.row_stride == static_cast<size_t>(piece.columns) * ElementBytes(piece.type);
  return as_wanted ? piece.data : nullptr;
}

// `first` is the index of the run's first element in the block.
void RowEncoder::EncodeRun(const RowSource& source, int64_t first_row, size_t first,
                           const Run& run) {
  std::byte* out = encoded_.data() + first * ElementBytes({encoding_.type, false});
  const size_t done = EncodeElementsOf(run, out);
  if (done == run.count) return;
  double value = 0;
  DecodeElements(run.type, run.data + done * ElementBytes(run.type), std::span(&value, 1));
  if (encoding_.scale != 0) value *= encoding_.scale;
  const auto columns = static_cast<size_t>(source.columns());
  const std::string shown =
      encoding_.scale != 0 ? fmt::format("{}", value)
                           : ShowValue(run.type, run.data + done * ElementBytes(run.type), value);
  ThrowDoesNotFit(source, first_row + static_cast<int64_t>((first + done) / columns),
                  static_cast<int64_t>((first + done) % columns), shown, !std::isnan(value),
                  encoding_.type);
}

size_t RowEncoder::EncodeElementsOf(const Run& run, std::byte* out) const {
  if (encoding_.scale == 0 && run.type.kind == encoding_.type) {
    Copy(run.type, run.data, run.count, out);
    return run.count;
  }
  if (encoding_.scale == 0 && AreWideIntegers(run.type.kind, encoding_.type)) {
    return CopyWideIntegers(run, out);
  }
  return Recompute(run, out);
}

size_t RowEncoder::CopyWideIntegers(const Run& run, std::byte* out) const {
  Copy(run.type, run.data, run.count, out);
  for (size_t i = 0; i < run.count; ++i) {
    if (!HasLeadingBit(out + 8 * i)) continue;
    double value = 0;
    DecodeElements(run.type, run.data + 8 * i, std::span(&value, 1));
    if (!encoding_.clip || !EncodeClipped(value, encoding_.type, out + 8 * i)) return i;
  }
  return run.count;
}

size_t RowEncoder::Recompute(const Run& run, std::byte* out) const {
  const size_t in_bytes = ElementBytes(run.type);
  const size_t out_bytes = ElementBytes({encoding_.type, false});
  const bool to_smaller_float = encoding_.scale == 0 && IsWideInteger(run.type.kind) &&
                                IsFloatingPoint({encoding_.type, false}) &&
                                encoding_.type != ElementKind::kFloat64;
  std::array<double, kSliceElements> buffer;
  for (size_t done = 0; done < run.count;) {
    auto values = std::span(buffer).first(std::min(kSliceElements, run.count - done));
    DecodeElements(run.type, run.data + done * in_bytes, values);
    for (size_t i = 0; to_smaller_float && i < values.size(); ++i) {
      values[i] = WithoutDoubleRounding({run.type, run.data + (done + i) * in_bytes});
    }
    if (encoding_.scale != 0) {
      for (double& value : values) value *= encoding_.scale;
    }
    while (!values.empty()) {
      const size_t fitting = EncodeElements(values, encoding_.type, out + done * out_bytes);
      done += fitting;
      values = values.subspan(fitting);
      if (values.empty()) break;
      if (!encoding_.clip ||
          !EncodeClipped(values.front(), encoding_.type, out + done * out_bytes)) {
        return done;
      }
      ++done;
      values = values.subspan(1);
    }
  }
  return run.count;
}

}  // namespace rhohat
