#include "base/byte_escape.h"

#include <gtest/gtest.h>

#include <string>

#include "base/keyed_random.h"

namespace rhohat {
namespace {

// By decoding code points, where the escape goes by their bytes.
bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    const auto at = [&](size_t i) {
      return i < text.size() ? static_cast<unsigned>(static_cast<unsigned char>(text[i])) : 0U;
    };
    const unsigned first = at(0);
    const size_t length = first < 0x80   ? 1
                          : first < 0xC0 ? 0
                          : first < 0xE0 ? 2
                          : first < 0xF0 ? 3
                                         : 4;
    if (length == 0 || text.size() < length) return false;
    unsigned code = length == 1 ? first : first & (0x7FU >> length);
    for (size_t i = 1; i < length; ++i) {
      if (at(i) >> 6 != 2) return false;
      code = code << 6 | (at(i) & 0x3F);
    }
    constexpr unsigned kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
    const bool is_surrogate = code >= 0xD800 && code < 0xE000;
    if (code < kLeast[length] || code > 0x10FFFF || is_surrogate) return false;
    text.remove_prefix(length);
  }
  return true;
}

TEST(ByteEscape, LeavesUtf8AsItIs) {
  for (const char* text :
       {"", "plain", "ρ̂ – naïve 日本 🐢", "\xED\x9F\xBF\xEE\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_EQ(EscapeToUtf8(text), text);
    EXPECT_EQ(UnescapeFromUtf8(text), text);
  }
}

TEST(ByteEscape, MakesUtf8OfWhatIsNot) {
  for (const char* bytes :
       {"\xFF", "caf\xE9.h5", "\xC0\x80", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xE2\x82", "\x80\x80\x80"}) {
    EXPECT_FALSE(IsUtf8(bytes));
    EXPECT_TRUE(IsUtf8(EscapeToUtf8(bytes)));
    EXPECT_EQ(UnescapeFromUtf8(EscapeToUtf8(bytes)), bytes);
  }
}

TEST(ByteEscape, BringsBackItsOwnEscapesToo) {
  const std::string escaped = EscapeToUtf8("\xFF");
  EXPECT_NE(EscapeToUtf8(escaped), escaped);
  EXPECT_EQ(UnescapeFromUtf8(EscapeToUtf8(escaped)), escaped);
}

TEST(ByteEscape, BringsBackAnyBytes) {
  const KeyedRandom random(1, RandomPurpose::kGradientSample);
  uint64_t draw = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string bytes;
    const auto length = static_cast<size_t>(random.Uniform(draw++) * 12);
    while (bytes.size() < length) {
      // Often of those that are special.
      const double kind = random.Uniform(draw++);
      constexpr std::string_view kSpecial = "\xF4\x8F\x82\x83\x80\xBF\xED\xE0\xC2";
      const auto index = static_cast<size_t>(random.Uniform(draw++) * (kind < 0.6 ? 9 : 256));
      bytes += kind < 0.6 ? kSpecial[index] : static_cast<char>(index);
    }
    const std::string text = EscapeToUtf8(bytes);
    ASSERT_TRUE(IsUtf8(text));
    ASSERT_EQ(UnescapeFromUtf8(text), bytes);
    if (IsUtf8(bytes) && text != bytes) {
      EXPECT_NE(bytes.find("\xF4\x8F"), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace rhohat
