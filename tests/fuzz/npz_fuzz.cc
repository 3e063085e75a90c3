// .npz from any bytes: its only array, and one by name.
#include "formats/npz_source.h"
#include "tests/fuzz/fuzz_rows.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string path = rhohat::FileOf(data, size);
  for (const char* array : {"", "x"}) {
    rhohat::ReadSome([&] { return rhohat::OpenNpz(path, array, rhohat::kSpoolFolder); });
  }
  return 0;
}
