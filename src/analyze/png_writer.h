// Pictures to PNG files.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace rhohat {

// 8 bits a channel, rows from the top, channels last.
struct Picture {
  int64_t width = 0;
  int64_t height = 0;
  int64_t channels = 1;         // 1: grey, 3: red, green and blue
  std::vector<uint8_t> pixels;  // height×width×channels
};

// The longest side that a picture may have.
inline constexpr int64_t kMostPixelsPerSide = 1'000'000;

// Whether the file begins as a PNG picture does.
bool IsPng(const std::string& path);

// Writes the file whole or not at all. Equal pictures make equal files. Throws
// Error(kCannotCreate) or Error(kIo).
void WritePng(const Picture& picture, const std::string& path);

}  // namespace rhohat
