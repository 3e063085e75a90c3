#include "convert/encode_elements.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "data/decode.h"

namespace rhohat {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

bool Fits(ElementKind kind, double value) {
  std::byte out[8];
  return EncodeElements(std::span(&value, 1), kind, out) == 1;
}

template <class Bits>
Bits BitsOf(ElementKind kind, double value) {
  Bits bits = 0;
  std::byte out[8];
  EncodeElements(std::span(&value, 1), kind, out);
  std::memcpy(&bits, out, sizeof(bits));
  return bits;
}

// What is stored for `value`, read again.
double RoundTrip(ElementKind kind, double value) {
  std::byte out[8];
  EXPECT_EQ(EncodeElements(std::span(&value, 1), kind, out), 1U);
  double again = 0;
  DecodeElements({kind, false}, out, std::span(&again, 1));
  return again;
}

TEST(EncodeElementsTest, EverySixteenBitFloatSurvivesTheRoundTrip) {
  for (const ElementKind kind : {ElementKind::kFloat16, ElementKind::kBfloat16}) {
    for (uint32_t i = 0; i <= 0xFFFF; ++i) {
      const auto bits = static_cast<uint16_t>(i);
      double value = 0;
      DecodeElements({kind, false}, reinterpret_cast<const std::byte*>(&bits),
                     std::span(&value, 1));
      if (std::isnan(value)) {
        EXPECT_TRUE(std::isnan(RoundTrip(kind, value)));
      } else {
        ASSERT_EQ(BitsOf<uint16_t>(kind, value), bits);
      }
    }
  }
}

TEST(EncodeElementsTest, SixteenBitFloatsRoundToNearestWithTiesToEven) {
  for (const ElementKind kind : {ElementKind::kFloat16, ElementKind::kBfloat16}) {
    for (uint16_t bits = 0; bits < 0x7BFF; ++bits) {
      const auto next = static_cast<uint16_t>(bits + 1);
      double low = 0;
      double high = 0;
      DecodeElements({kind, false}, reinterpret_cast<const std::byte*>(&bits), std::span(&low, 1));
      DecodeElements({kind, false}, reinterpret_cast<const std::byte*>(&next), std::span(&high, 1));
      const double middle = (low + high) / 2;
      ASSERT_EQ(BitsOf<uint16_t>(kind, middle), bits % 2 == 0 ? bits : next);
      ASSERT_EQ(BitsOf<uint16_t>(kind, std::nextafter(middle, 0)), bits);
      ASSERT_EQ(BitsOf<uint16_t>(kind, std::nextafter(middle, kInfinity)), next);
    }
  }
}

TEST(EncodeElementsTest, FloatsKeepInfinitiesAndNan) {
  for (const ElementKind kind : {ElementKind::kFloat16, ElementKind::kBfloat16,
                                 ElementKind::kFloat32, ElementKind::kFloat64}) {
    EXPECT_EQ(RoundTrip(kind, kInfinity), kInfinity);
    EXPECT_EQ(RoundTrip(kind, -kInfinity), -kInfinity);
    EXPECT_TRUE(std::isnan(RoundTrip(kind, kNan)));
    EXPECT_TRUE(std::signbit(RoundTrip(kind, -0.0)));
  }
}

TEST(EncodeElementsTest, FiniteNumbersThatWouldBecomeInfiniteDoNotFit) {
  EXPECT_TRUE(Fits(ElementKind::kFloat16, 65519.999));
  EXPECT_FALSE(Fits(ElementKind::kFloat16, 65520));
  EXPECT_FALSE(Fits(ElementKind::kFloat16, -1e300));
  EXPECT_TRUE(Fits(ElementKind::kBfloat16, 3.38e38));
  EXPECT_FALSE(Fits(ElementKind::kBfloat16, 3.4e38));
  EXPECT_TRUE(Fits(ElementKind::kFloat32, 3.4028235e38));
  EXPECT_FALSE(Fits(ElementKind::kFloat32, 3.4029e38));
}

template <class T>
void ExpectLimits(ElementKind kind) {
  const double least = static_cast<double>(std::numeric_limits<T>::min());
  const double past = std::ldexp(1.0, std::numeric_limits<T>::digits);
  EXPECT_EQ(RoundTrip(kind, least), least);
  EXPECT_FALSE(Fits(kind, std::nextafter(least - 0.5, -kInfinity)));
  EXPECT_FALSE(Fits(kind, past));
  EXPECT_TRUE(Fits(kind, std::nextafter(past - 0.5, 0)));
  EXPECT_FALSE(Fits(kind, kNan));
  EXPECT_FALSE(Fits(kind, kInfinity));
  EXPECT_EQ(RoundTrip(kind, 2.5), 2);
  EXPECT_EQ(RoundTrip(kind, 3.5), 4);
}

TEST(EncodeElementsTest, IntegersRoundAndRefuseWhatIsOutOfRange) {
  ExpectLimits<int8_t>(ElementKind::kInt8);
  ExpectLimits<uint8_t>(ElementKind::kUint8);
  ExpectLimits<int16_t>(ElementKind::kInt16);
  ExpectLimits<uint16_t>(ElementKind::kUint16);
  ExpectLimits<int32_t>(ElementKind::kInt32);
  ExpectLimits<uint32_t>(ElementKind::kUint32);
  EXPECT_EQ(RoundTrip(ElementKind::kInt64, -0x1p63), -0x1p63);
  EXPECT_FALSE(Fits(ElementKind::kInt64, 0x1p63));
  EXPECT_TRUE(Fits(ElementKind::kUint64, 0x1.fffffffffffffp63));
  EXPECT_FALSE(Fits(ElementKind::kUint64, 0x1p64));
  EXPECT_FALSE(Fits(ElementKind::kUint64, -1));
}

TEST(EncodeElementsTest, NamesTheFirstValueThatDoesNotFit) {
  const std::vector<double> values = {1, 2, 300, 400};
  std::vector<std::byte> out(4);
  EXPECT_EQ(EncodeElements(values, ElementKind::kUint8, out.data()), 2U);
}

ElementKind Common(ElementKind a, ElementKind b) {
  EXPECT_EQ(CommonType({a, true}, {b, false}), CommonType({b, false}, {a, true}));
  return CommonType({a, true}, {b, false}).kind;
}

TEST(CommonTypeTest, IsTheSmallestThatHoldsBoth) {
  using enum ElementKind;
  for (int kind = 0; kind < 12; ++kind) {
    EXPECT_EQ(Common(ElementKind(kind), ElementKind(kind)), ElementKind(kind));
  }
  EXPECT_EQ(Common(kUint8, kInt8), kInt16);
  EXPECT_EQ(Common(kUint8, kUint16), kUint16);
  EXPECT_EQ(Common(kUint16, kInt8), kInt32);
  EXPECT_EQ(Common(kUint32, kInt64), kInt64);
  EXPECT_EQ(Common(kUint64, kInt8), kFloat64);
  EXPECT_EQ(Common(kUint8, kFloat16), kFloat16);
  EXPECT_EQ(Common(kInt16, kFloat16), kFloat32);
  EXPECT_EQ(Common(kFloat16, kBfloat16), kFloat32);
  EXPECT_EQ(Common(kUint16, kFloat32), kFloat32);
  EXPECT_EQ(Common(kInt32, kFloat32), kFloat64);
  EXPECT_EQ(Common(kFloat32, kFloat64), kFloat64);
}

}  // namespace
}  // namespace rhohat
