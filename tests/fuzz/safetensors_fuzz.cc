// Safetensors from any bytes: the only tensor, and one by name.
#include "formats/safetensors_source.h"
#include "tests/fuzz/fuzz_rows.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string path = rhohat::FileOf(data, size);
  for (const char* tensor : {"", "x"}) {
    rhohat::ReadSome([&] { return rhohat::OpenSafetensorsRows(path, tensor); });
  }
  return 0;
}
