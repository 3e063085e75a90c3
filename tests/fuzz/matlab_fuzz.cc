// MATLAB files that are damaged in every way, or made to do harm.
//
// Only of version 5: 7.3 is the HDF5 library's to read.
#include "convert/matlab_source.h"
#include "tests/fuzz/fuzz_rows.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string path = rhohat::FileOf(data, size);
  rhohat::ReadSome([&] { return rhohat::OpenMatlab(path, "", "/tmp"); });
  rhohat::ReadSome([&] { return rhohat::OpenMatlab(path, "x", "/tmp"); });
  return 0;
}
