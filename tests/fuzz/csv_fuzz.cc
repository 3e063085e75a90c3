// Any bytes as CSV: the first of them choose the options, the rest is the file. Whatever they are,
// there are rows or there is an Error.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "formats/csv_source.h"
#include "rhohat/error.h"

namespace {

constexpr size_t kOptionBytes = 4;
constexpr int64_t kMostRows = 1000;

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

void Check(bool holds) {
  if (!holds) std::abort();
}

void ReadRows(rhohat::RowSource& source, int64_t block) {
  rhohat::RawRows raw;
  const int64_t rows = std::min(source.rows(), kMostRows);
  for (int64_t begin = 0; begin < rows; begin += block) {
    const rhohat::RowRange range = {begin, std::min(begin + block, rows)};
    rhohat::FetchAndUnpack(source, range, raw);
    Check(raw.bytes.capacity() <= source.MaxRawBytes(block));
    Check(!source.Locate(begin).empty());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const int file = ::memfd_create("csv", MFD_CLOEXEC);
  if (size < kOptionBytes) return 0;
  const auto text_bytes = static_cast<off_t>(size - kOptionBytes);
  Check(::ftruncate(file, 0) == 0);
  Check(::pwrite(file, data + kOptionBytes, size - kOptionBytes, 0) == text_bytes);
  rhohat::CsvLimits limits;
  limits.buffer_bytes = 1 + data[3];
  if (data[2] >= 128) limits.record_bytes = 64;
  try {
    auto stream = std::make_unique<rhohat::FileStream>("/proc/self/fd/" + std::to_string(file));
    const auto source = rhohat::OpenCsv(std::move(stream), ChooseOptions(data), limits);
    ReadRows(*source, 1 + data[3] % 7);
    ReadRows(*source, 100);
    rhohat::LooksLikeCsv(std::as_bytes(std::span(data, size)));
  } catch (const rhohat::Error&) {
  }
  return 0;
}
