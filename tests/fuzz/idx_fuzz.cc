// IDX from any bytes, gzipped or not.
#include "formats/idx_source.h"
#include "tests/fuzz/fuzz_rows.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string path = rhohat::FileOf(data, size);
  rhohat::ReadSome([&] { return rhohat::OpenIdx(rhohat::StreamOf(path)); });
  return 0;
}
