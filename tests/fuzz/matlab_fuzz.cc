// MATLAB files of version 5 from any bytes: the only array, and one by name.
//
// The bytes are tried as a file, and as an array that is compressed soundly, since chance does not
// get past zlib's checks. Files of version 7.3 are HDF5, and so the HDF5 library's to read: they
// are left out, for what is wrong in there is not ours to mend.
#include <zlib.h>

#include <cstring>
#include <string_view>

#include "formats/matlab_source.h"
#include "tests/fuzz/fuzz_rows.h"

namespace {

constexpr std::string_view kMark73 = "MATLAB 7.3";
constexpr size_t kHeaderBytes = 128;

void ReadAsFile(const std::string& bytes) {
  if (bytes.starts_with(kMark73)) return;
  const std::string path =
      rhohat::FileOf(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  for (const char* variable : {"", "x"}) {
    rhohat::ReadSome([&] { return rhohat::OpenMatlab(path, variable, rhohat::kSpoolFolder); });
  }
}

std::string Compressed(const std::string& array) {
  uLongf size = compressBound(array.size());
  std::string packed(size, '\0');
  compress2(reinterpret_cast<Bytef*>(packed.data()), &size,
            reinterpret_cast<const Bytef*>(array.data()), array.size(), 1);
  packed.resize(size);
  const uint32_t tag[2] = {15, static_cast<uint32_t>(size)};
  std::string element(sizeof tag, '\0');
  std::memcpy(element.data(), tag, sizeof tag);
  return element + packed;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  ReadAsFile(bytes);
  if (size > kHeaderBytes) {
    ReadAsFile(bytes.substr(0, kHeaderBytes) + Compressed(bytes.substr(kHeaderBytes)));
  }
  return 0;
}
