// JPEG from any bytes.
#include "tests/fuzz/picture_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  rhohat::ReadAsPicture(data[0], std::span(data + 1, size - 1));
  return 0;
}
