#include "data/decode.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "rhohat/error.h"
#include "tests/support/vector_source.h"

namespace rhohat {
namespace {

template <class Stored>
std::vector<std::byte> Bytes(const std::vector<Stored>& values, bool big_endian) {
  std::vector<std::byte> bytes(values.size() * sizeof(Stored));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  if (big_endian) {
    for (size_t i = 0; i < bytes.size(); i += sizeof(Stored)) {
      std::reverse(bytes.begin() + static_cast<std::ptrdiff_t>(i),
                   bytes.begin() + static_cast<std::ptrdiff_t>(i + sizeof(Stored)));
    }
  }
  return bytes;
}

template <class Stored>
void ExpectExact(ElementKind kind, const std::vector<Stored>& values) {
  for (const bool big_endian : {false, true}) {
    const std::vector<std::byte> bytes = Bytes(values, big_endian);
    std::vector<double> doubles(values.size());
    std::vector<float> floats(values.size());
    EXPECT_TRUE(DecodeElements<double>({kind, big_endian}, bytes.data(), doubles));
    DecodeElements<float>({kind, big_endian}, bytes.data(), floats);
    for (size_t i = 0; i < values.size(); ++i) {
      EXPECT_EQ(doubles[i], static_cast<double>(values[i]));
      EXPECT_EQ(floats[i], static_cast<float>(values[i]));
    }
  }
}

// Lowest, highest, and odd ones between; more than a vector register holds.
template <class Stored>
std::vector<Stored> Samples() {
  using Limits = std::numeric_limits<Stored>;
  std::vector<Stored> values = {Limits::lowest(), Limits::max(), Stored{0}, Stored{1}, Stored{100}};
  for (uint64_t i = 0; i < 60; ++i) {
    values.push_back(static_cast<Stored>(static_cast<uint64_t>(values.back()) * 3 + i));
  }
  return values;
}

TEST(DecodeTest, IntegersOfEveryWidthSignAndByteOrder) {
  ExpectExact(ElementKind::kInt8, Samples<int8_t>());
  ExpectExact(ElementKind::kUint8, Samples<uint8_t>());
  ExpectExact(ElementKind::kInt16, Samples<int16_t>());
  ExpectExact(ElementKind::kUint16, Samples<uint16_t>());
  ExpectExact(ElementKind::kInt32, Samples<int32_t>());
  ExpectExact(ElementKind::kUint32, Samples<uint32_t>());
  ExpectExact(ElementKind::kInt64, std::vector<int64_t>{INT64_MIN, INT64_MAX, -1, 0, 1 << 30});
  ExpectExact(ElementKind::kUint64, std::vector<uint64_t>{0, UINT64_MAX, uint64_t{1} << 63, 7});
}

TEST(DecodeTest, FloatsOfEitherByteOrder) {
  ExpectExact(ElementKind::kFloat32, std::vector<float>{0, -0.F, 1.5F, -3e38F, 1e-45F});
  ExpectExact(ElementKind::kFloat64, std::vector<double>{0, 0.1, -1.5, 5e-324, 3e38});
}

// What the bits of a half mean, by IEEE 754's definition.
double HalfByDefinition(uint16_t bits) {
  const int exponent = bits >> 10 & 31;
  const int mantissa = bits & 1023;
  const double sign = (bits & 0x8000) != 0 ? -1 : 1;
  if (exponent == 31) return mantissa != 0 ? NAN : sign * INFINITY;
  if (exponent == 0) return sign * std::ldexp(mantissa, -24);
  return sign * std::ldexp(1024 + mantissa, exponent - 25);
}

TEST(DecodeTest, EveryHalfThereIs) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    for (const bool big_endian : {false, true}) {
      const auto bytes = Bytes(std::vector<uint16_t>{static_cast<uint16_t>(bits)}, big_endian);
      float value = 0;
      const bool finite = DecodeElements<float>({ElementKind::kFloat16, big_endian}, bytes.data(),
                                                std::span(&value, 1));
      const double expected = HalfByDefinition(static_cast<uint16_t>(bits));
      EXPECT_EQ(finite, std::isfinite(expected));
      if (std::isnan(expected)) {
        EXPECT_TRUE(std::isnan(value));
      } else {
        EXPECT_EQ(static_cast<double>(value), expected) << bits;
        EXPECT_EQ(std::signbit(value), std::signbit(expected)) << bits;
      }
    }
  }
}

TEST(DecodeTest, EveryBfloatIsTheUpperHalfOfAFloat) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const auto bytes = Bytes(std::vector<uint16_t>{static_cast<uint16_t>(bits)}, false);
    float value = 0;
    DecodeElements<float>({ElementKind::kBfloat16, false}, bytes.data(), std::span(&value, 1));
    EXPECT_EQ(std::bit_cast<uint32_t>(value), bits << 16);
  }
}

TEST(DecodeTest, OneValueThatIsNotFiniteIsFoundWhereverItIs) {
  for (const size_t size : {1U, 3U, 16U, 37U}) {
    for (size_t at = 0; at < size; ++at) {
      for (const double bad : {double{NAN}, double{INFINITY}, -double{INFINITY}}) {
        std::vector<double> values(size, 1.0);
        values[at] = bad;
        EXPECT_FALSE(AllFinite(std::span<const double>(values)));
        const std::vector<float> floats(values.begin(), values.end());
        EXPECT_FALSE(AllFinite(std::span<const float>(floats)));
        values[at] = std::numeric_limits<double>::max();
        EXPECT_TRUE(AllFinite(std::span<const double>(values)));
      }
    }
  }
}

TEST(DecodeRowsTest, AValueTooLargeForFloatIsSaidToBe) {
  VectorSource source(2, 3, {0, 1, 2, 3, 4, 1e100});
  RawRows raw;
  FetchAndUnpack(source, {0, 2}, raw);
  std::vector<double> doubles(6);
  DecodeRows<double>(source, raw, doubles);
  EXPECT_EQ(doubles, source.values());
  std::vector<float> floats(6);
  try {
    DecodeRows<float>(source, raw, floats);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadData);
    EXPECT_STREQ(error.what(),
                 "memory row 1, column 2: the value is too large for float32; use --precision "
                 "float64");
  }
}

// float64 would be no way out: J is made of squares.
TEST(DecodeRowsTest, OfAValueWhoseSquareIsInfiniteTheWayOutIsToScale) {
  VectorSource source(1, 1, {-1e300});
  RawRows raw;
  FetchAndUnpack(source, {0, 1}, raw);
  std::vector<float> floats(1);
  try {
    DecodeRows<float>(source, raw, floats);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "memory row 0, column 0: the value is too large: its square is infinite, in "
                 "float64 too; scale the data ('rhohat convert --scale')");
  }
}

}  // namespace
}  // namespace rhohat
