#include "base/byte_escape.h"

#include <cstdint>

namespace rhohat {
namespace {

// Byte b, 0x80 or more, is the character U+10F000 + b, for private use: F4 8F 82 80 to F4 8F 83 BF.
constexpr std::string_view kPrefix = "\xF4\x8F";
constexpr size_t kEscapeLength = 4;

uint8_t Byte(std::string_view text, size_t i) { return static_cast<uint8_t>(text[i]); }

void AppendEscaped(uint8_t byte, std::string& out) {
  out += kPrefix;
  out += static_cast<char>(0x80 | (byte >> 6));
  out += static_cast<char>(0x80 | (byte & 0x3F));
}

bool IsEscape(std::string_view text) {
  return text.size() >= kEscapeLength && text.starts_with(kPrefix) &&
         (Byte(text, 2) == 0x82 || Byte(text, 2) == 0x83);
}

// Bytes of the character that `text` begins with; 0 where it begins with none. Neither surrogates
// nor longer forms than needed are characters (RFC 3629, section 4).
size_t CharacterLength(std::string_view text) {
  const uint8_t first = Byte(text, 0);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4) return 0;
  const size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((Byte(text, i) & 0xC0) != 0x80) return 0;
  }
  const uint8_t second = Byte(text, 1);
  const bool is_character = !(first == 0xE0 && second < 0xA0) &&
                            !(first == 0xED && second > 0x9F) &&
                            !(first == 0xF0 && second < 0x90) && !(first == 0xF4 && second > 0x8F);
  return is_character ? length : 0;
}

}  // namespace

std::string EscapeToUtf8(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    const size_t length = IsEscape(bytes) ? 0 : CharacterLength(bytes);
    if (length == 0) {
      AppendEscaped(Byte(bytes, 0), text);
      bytes.remove_prefix(1);
    } else {
      text += bytes.substr(0, length);
      bytes.remove_prefix(length);
    }
  }
  return text;
}

std::string UnescapeFromUtf8(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  while (!text.empty()) {
    if (IsEscape(text)) {
      bytes += static_cast<char>((Byte(text, 2) & 0x03) << 6 | (Byte(text, 3) & 0x3F));
      text.remove_prefix(kEscapeLength);
    } else {
      bytes += text.front();
      text.remove_prefix(1);
    }
  }
  return bytes;
}

}  // namespace rhohat
