#include "formats/csv_number.h"

#include <gmock/gmock.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>

namespace rhohat {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// NaN where it is not a number.
double Number(const std::string& text) {
  double value = 0;
  return ReadField(text, value) == FieldKind::kNumber ? value : std::nan("");
}

TEST(CsvNumberTest, ReadsWhatPythonsFloatReads) {
  EXPECT_EQ(Number("0"), 0);
  EXPECT_EQ(Number("7"), 7);
  EXPECT_EQ(Number("007"), 7);
  EXPECT_EQ(Number("+7"), 7);
  EXPECT_EQ(Number("-7."), -7);
  EXPECT_EQ(Number(".5"), 0.5);
  EXPECT_EQ(Number("+.5e+1"), 5);
  EXPECT_EQ(Number("1E3"), 1000);
  EXPECT_EQ(Number("1e-03"), 0.001);
  EXPECT_EQ(Number("12345678"), 12345678);
  EXPECT_EQ(Number("123456789.123456789"), 123456789.123456789);
  EXPECT_EQ(Number("9007199254740993"), 9007199254740992);
  EXPECT_EQ(Number("18446744073709551616"), 18446744073709551616.0);
  EXPECT_EQ(Number("inf"), kInfinity);
  EXPECT_EQ(Number("+Inf"), kInfinity);
  EXPECT_EQ(Number("-INFINITY"), -kInfinity);
  EXPECT_TRUE(std::signbit(Number("-0")));
  EXPECT_TRUE(std::signbit(Number("-0e99")));
}

TEST(CsvNumberTest, RefusesWhatIsNotADecimalNumber) {
  for (const char* text :
       {"abc",          "+",        "-",       ".",      "e5",    "1e",    "1e+",  "1.2.3",
        "1,5",          "1_000",    "0x10",    "1d5",    "1f",    "--1",   "+-1",  "-+1",
        "1-",           "1 2",      "infinit", "nan(1)", "1+2j",  "1e5.5", "inf1", "TRUE",
        "\xEF\xBC\x91", "12a45678", "1:",      "1/2",    "1\xFF", "−1"}) {
    double value = 0;
    EXPECT_EQ(ReadField(text, value), FieldKind::kOther) << text;
  }
}

TEST(CsvNumberTest, TakesTheWordsForMissingInAnyCase) {
  for (const char* text : {"", "NA", "na", "N/A", "#N/A", "NaN", "nan", "-nan", "+NaN", "null",
                           "NULL", "None", "none", "?"}) {
    double value = 0;
    EXPECT_EQ(ReadField(text, value), FieldKind::kMissing) << text;
    EXPECT_TRUE(IsMissing(text)) << text;
  }
  for (const char* text : {"0", "-", "missing", "nana", "N.A.", "n", "??"}) {
    EXPECT_FALSE(IsMissing(text)) << text;
  }
}

TEST(CsvNumberTest, IsInfinityOrZeroWhereNoFloat64IsNear) {
  EXPECT_EQ(Number("1e400"), kInfinity);
  EXPECT_EQ(Number("-1e400"), -kInfinity);
  EXPECT_EQ(Number("1.7976931348623159e308"), kInfinity);
  EXPECT_EQ(Number("1e99999999999999999999999"), kInfinity);
  EXPECT_EQ(Number("1e-400"), 0);
  EXPECT_TRUE(std::signbit(Number("-1e-400")));
  EXPECT_EQ(Number("1e-99999999999999999999999"), 0);
  EXPECT_EQ(Number("0e99999999999999999999999"), 0);
  EXPECT_EQ(Number("2e-324"), 0);
  EXPECT_EQ(Number("3e-324"), 5e-324);
  const std::string zeros(400, '0');
  EXPECT_EQ(Number("1" + zeros), kInfinity);
  EXPECT_EQ(Number("0." + zeros + "1"), 0);
  EXPECT_EQ(Number("1" + zeros + "e-400"), 1);
  EXPECT_EQ(Number("0." + zeros + "1e401"), 1);
}

TEST(CsvNumberTest, RefusesNumbersThatAreTooLongToTrust) {
  EXPECT_EQ(Number("1." + std::string(4000, '0')), 1);
  EXPECT_TRUE(std::isnan(Number("1." + std::string(5000, '0'))));
}

// The naive twin: the C library's, in the C locale.
TEST(CsvNumberTest, EqualsStrtodBitForBitForNumbersOfEveryLength) {
  std::mt19937_64 random(11);
  for (int trial = 0; trial < 100'000; ++trial) {
    std::string text = random() % 2 == 0 ? "-" : "";
    for (uint64_t i = random() % 12; i > 0; --i) text += static_cast<char>('0' + random() % 10);
    if (random() % 4 != 0) text += '.';
    for (uint64_t i = 1 + random() % 20; i > 0; --i) text += static_cast<char>('0' + random() % 10);
    if (random() % 4 == 0) {
      const uint64_t most = random() % 2 == 0 ? 30 : 340;
      text += (random() % 2 == 0 ? "e" : "E-") + std::to_string(random() % most);
    }
    ASSERT_EQ(std::bit_cast<uint64_t>(Number(text)),
              std::bit_cast<uint64_t>(std::strtod(text.c_str(), nullptr)))
        << text;
  }
}

TEST(CsvNumberTest, GivesBackEveryFloat64ThatWasWrittenWith17Digits) {
  std::mt19937_64 random(12);
  for (int trial = 0; trial < 100'000; ++trial) {
    const auto value = std::bit_cast<double>(random());
    if (!std::isfinite(value)) continue;
    char text[40];
    std::snprintf(text, sizeof(text), "%.17g", value);
    ASSERT_EQ(std::bit_cast<uint64_t>(Number(text)), std::bit_cast<uint64_t>(value)) << text;
  }
}

TEST(CsvNumberTest, StopsBehindTheNumberAndNeverLooksPastTheEnd) {
  const std::string text = "12345678901234567890.5e7;";
  for (size_t size = 0; size <= text.size(); ++size) {
    // Memory of its own, so that a sanitizer sees what lies behind it.
    const std::vector<char> exact(text.begin(), text.begin() + static_cast<ptrdiff_t>(size));
    double value = 0;
    const char* const begin = exact.data();
    const char* const behind = ScanNumber(begin, begin + size, value);
    if (size == 0) {
      EXPECT_EQ(behind, nullptr);
      continue;
    }
    // An exponent without digits is not part of it.
    const size_t expected = size == 23 ? 22 : std::min<size_t>(size, 24);
    EXPECT_EQ(behind - begin, static_cast<ptrdiff_t>(expected)) << size;
    EXPECT_EQ(value, std::strtod(text.substr(0, expected).c_str(), nullptr));
  }
}

}  // namespace
}  // namespace rhohat
