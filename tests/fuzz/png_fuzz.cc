// PNG from any bytes. With bit 7 of the first byte the checksums of chunks are made to fit, so that
// what lies behind them is reached.
#include <zlib.h>

#include <vector>

#include "tests/fuzz/picture_fuzz.h"

namespace {

uint32_t BigEndian(const uint8_t* bytes) {
  return uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 | bytes[3];
}

void MendChecksums(std::vector<uint8_t>& file) {
  constexpr size_t kMagicBytes = 8;
  constexpr size_t kFrameBytes = 12;  // length, name and checksum
  for (size_t at = kMagicBytes; file.size() >= at + kFrameBytes;) {
    const size_t length = BigEndian(&file[at]);
    if (length > file.size() - at - kFrameBytes) return;
    const auto sum = crc32(0, &file[at + 4], static_cast<uInt>(length + 4));
    for (int i = 0; i < 4; ++i) {
      file[at + 8 + length + static_cast<size_t>(i)] = static_cast<uint8_t>(sum >> (24 - 8 * i));
    }
    at += length + kFrameBytes;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  std::vector<uint8_t> file(data + 1, data + size);
  if ((data[0] & 0x80) != 0) MendChecksums(file);
  rhohat::ReadAsPicture(data[0] & 0x7f, file);
  return 0;
}
