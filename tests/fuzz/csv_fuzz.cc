// CSV from any bytes: the first four choose the options, the rest is the file.
#include <array>
#include <span>

#include "formats/csv_source.h"
#include "tests/fuzz/fuzz_rows.h"

namespace {

constexpr size_t kOptionBytes = 4;

rhohat::CsvOptions ChooseOptions(const uint8_t* choices) {
  constexpr std::array<const char*, 8> kDelimiters = {"",      "",     "comma",     "tab",
                                                      "space", "pipe", "semicolon", ":"};
  constexpr std::array<const char*, 4> kHeaders = {"auto", "auto", "yes", "no"};
  constexpr std::array<const char*, 4> kMissing = {"error", "nan", "skip", "-1"};
  rhohat::CsvOptions options;
  options.delimiter = kDelimiters[choices[0] % kDelimiters.size()];
  options.header = kHeaders[choices[1] % kHeaders.size()];
  options.missing = kMissing[choices[1] / 4 % kMissing.size()];
  if (choices[2] % 4 == 1) options.columns = {"0"};
  if (choices[2] % 4 == 2) options.columns = {"1-2", "0"};
  if (choices[2] % 4 == 3) options.columns = {"x"};
  return options;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < kOptionBytes) return 0;
  rhohat::CsvLimits limits;
  limits.buffer_bytes = 1 + data[3];
  if (data[2] >= 128) limits.record_bytes = 64;
  const std::string path = rhohat::FileOf(data + kOptionBytes, size - kOptionBytes);
  rhohat::ReadSome(
      [&] { return rhohat::OpenCsv(rhohat::StreamOf(path), ChooseOptions(data), limits); },
      1 + data[3] % 7);
  rhohat::LooksLikeCsv(std::as_bytes(std::span(data, size)));
  return 0;
}
