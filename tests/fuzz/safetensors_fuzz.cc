// Safetensors files that are damaged in every way, or made to do harm.
#include "formats/safetensors_source.h"
#include "tests/fuzz/fuzz_rows.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string path = rhohat::FileOf(data, size);
  rhohat::ReadSome([&] { return rhohat::OpenSafetensorsRows(path, ""); });
  rhohat::ReadSome([&] { return rhohat::OpenSafetensorsRows(path, "x"); });
  return 0;
}
