#include "formats/idx_source.h"
#include "tests/fuzz/fuzz_rows.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string path = rhohat::FileOf(data, size);
  rhohat::ReadSome([&] { return rhohat::OpenIdx(std::make_unique<rhohat::FileStream>(path)); });
  return 0;
}
