#include "base/units.h"

#include <gtest/gtest.h>

#include <limits>

#include "rhohat/error.h"

namespace rhohat {
namespace {

TEST(ParseBytes, ReadsSizesAsPeopleWriteThem) {
  EXPECT_EQ(ParseBytes("1"), 1U);
  EXPECT_EQ(ParseBytes("512"), 512U);
  EXPECT_EQ(ParseBytes("512B"), 512U);
  EXPECT_EQ(ParseBytes("192M"), uint64_t{192} << 20);
  EXPECT_EQ(ParseBytes("192MB"), uint64_t{192} << 20);
  EXPECT_EQ(ParseBytes("4g"), uint64_t{4} << 30);
  EXPECT_EQ(ParseBytes("1.5 GiB"), uint64_t{3} << 29);
  EXPECT_EQ(ParseBytes("2T"), uint64_t{2} << 40);
  EXPECT_EQ(ParseBytes("0.5K"), 512U);
}

TEST(ParseBytes, RefusesEverythingElse) {
  for (const char* text : {"", "M", "abc", "4X", "4GG", "4 G B", "-1", "0", "nan", "inf", "1e40",
                           "9e18T", "0x10", "+4G", " 4G", "4G ", "4\xc3\xa9"}) {
    try {
      ParseBytes(text);
      FAIL() << "accepted '" << text << "'";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      EXPECT_NE(std::string(error.what()).find("is not a size"), std::string::npos);
    }
  }
}

TEST(FormatBytes, ShowsThreeDigits) {
  EXPECT_EQ(FormatBytes(0), "0 bytes");
  EXPECT_EQ(FormatBytes(1), "1 byte");
  EXPECT_EQ(FormatBytes(999), "999 bytes");
  EXPECT_EQ(FormatBytes(1000), "0.977 KiB");
  EXPECT_EQ(FormatBytes(1023), "0.999 KiB");
  EXPECT_EQ(FormatBytes(1024), "1.00 KiB");
  EXPECT_EQ(FormatBytes(uint64_t{192} << 20), "192 MiB");
  EXPECT_EQ(FormatBytes(uint64_t{3} << 29), "1.50 GiB");
  EXPECT_EQ(FormatBytes((uint64_t{10} << 20) - 1), "10.0 MiB");
  EXPECT_EQ(FormatBytes((uint64_t{100} << 20) - 1), "100 MiB");
}

TEST(FormatBytes, HasAUnitForEverySize) {
  EXPECT_EQ(FormatBytes(std::numeric_limits<uint64_t>::max()), "16777216 TiB");
}

TEST(FormatSeconds, CarriesWhenRounding) {
  EXPECT_EQ(FormatSeconds(0), "0 s");
  EXPECT_EQ(FormatSeconds(12.3), "12 s");
  EXPECT_EQ(FormatSeconds(59.6), "1 min 00 s");
  EXPECT_EQ(FormatSeconds(185), "3 min 05 s");
  EXPECT_EQ(FormatSeconds(7620), "2 h 07 min");
}

TEST(FormatSeconds, SaysSoWhereThereIsNoNumber) {
  EXPECT_EQ(FormatSeconds(std::numeric_limits<double>::quiet_NaN()), "unknown");
  EXPECT_EQ(FormatSeconds(std::numeric_limits<double>::infinity()), "unknown");
  EXPECT_EQ(FormatSeconds(-1), "unknown");
}

TEST(ParseDuration, ReadsTimesAsPeopleAndSlurmWriteThem) {
  EXPECT_EQ(ParseDuration("90s"), 90);
  EXPECT_EQ(ParseDuration("10m"), 600);
  EXPECT_EQ(ParseDuration("7h45m"), 27900);
  EXPECT_EQ(ParseDuration("1d12h"), 129600);
  EXPECT_EQ(ParseDuration("0.5s"), 0.5);
  EXPECT_EQ(ParseDuration("45"), 45);
  EXPECT_EQ(ParseDuration("0s"), 0);
  EXPECT_EQ(ParseDuration("07:45:00"), 27900);
  EXPECT_EQ(ParseDuration("1-12:00:30"), 129630);
}

TEST(ParseDuration, RefusesEverythingElse) {
  for (const char* text : {"", "m", "10x", "-5s", "5m-", "1h2h", "5m1h", "1h30", "30:00", "1:2:3:4",
                           "1-2", "nan", "inf", "1e3s", "1:-2:00", " 5m", "99999999999s"}) {
    EXPECT_THROW(ParseDuration(text), Error) << text;
  }
}

TEST(ExactDuration, IsReadBackAsTheSameNumber) {
  for (const double seconds :
       {0.0, 0.1, 1.0, 59.9, 60.0, 61.5, 600.0, 27900.0, 86400.0, 123456.7}) {
    EXPECT_EQ(ParseDuration(ExactDuration(seconds)), seconds) << seconds;
  }
  EXPECT_EQ(ExactDuration(27900), "7h45m");
  EXPECT_EQ(ExactDuration(600), "10m");
}

TEST(CheckedProduct, ThrowsWhereTheProductDoesNotFit) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(CheckedProduct(3, 4, "elements"), 12);
  EXPECT_EQ(CheckedProduct(kMost, 1, "elements"), kMost);
  EXPECT_EQ(CheckedProduct(kMost, 0, "elements"), 0);
  try {
    CheckedProduct(int64_t{1} << 32, int64_t{1} << 31, "elements");
    FAIL() << "2^63 does not fit";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadData);
    EXPECT_STREQ(error.what(), "elements: 4294967296 × 2147483648 is too large");
  }
}

}  // namespace
}  // namespace rhohat
