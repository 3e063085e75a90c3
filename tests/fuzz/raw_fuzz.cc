// Raw numbers from any bytes: the first four choose the type, the columns (two bytes) and the
// offset, the rest is the file.
#include "formats/raw_source.h"
#include "tests/fuzz/fuzz_rows.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kOptionBytes = 4;
  if (size < kOptionBytes) return 0;
  const rhohat::RawOptions options = {
      .type = {static_cast<rhohat::ElementKind>(data[0] % 12), data[0] >= 128},
      .columns = data[1] + 256 * data[2],
      .offset = data[3]};
  const std::string path = rhohat::FileOf(data + kOptionBytes, size - kOptionBytes);
  rhohat::ReadSome([&] { return rhohat::OpenRaw(rhohat::StreamOf(path), options); });
  return 0;
}
