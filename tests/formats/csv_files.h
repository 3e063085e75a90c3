// Opens text as CSV, and reads what is in it.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "formats/csv_source.h"
#include "tests/formats/test_files.h"

namespace rhohat {

// All values in one pass, NaN too, fetched `block` rows at a time; 0 for all at once.
inline std::vector<double> CsvValues(RowSource& source, int64_t block = 0) {
  const int64_t step = block > 0 ? block : source.rows();
  std::vector<double> values;
  RawRows raw;
  for (int64_t begin = 0; begin < source.rows(); begin += step) {
    FetchAndUnpack(source, {begin, std::min(begin + step, source.rows())}, raw);
    EXPECT_LE(raw.bytes.size(), source.MaxRawBytes(raw.range.size()));
    EXPECT_LE(raw.bytes.capacity(), source.MaxRawBytes(step));
    EXPECT_EQ(raw.pieces.size(), 1U);
    const auto* first = reinterpret_cast<const double*>(raw.pieces.at(0).data);
    values.insert(values.end(), first, first + raw.range.size() * source.columns());
  }
  return values;
}

// One file, in memory, whose content can be replaced.
class CsvFiles {
 public:
  CsvFiles() : descriptor_(::memfd_create("csv", MFD_CLOEXEC)) {
    if (descriptor_ < 0) throw std::runtime_error("no file in memory");
  }
  ~CsvFiles() { ::close(descriptor_); }
  CsvFiles(const CsvFiles&) = delete;
  CsvFiles& operator=(const CsvFiles&) = delete;

  std::string Path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

  void Write(std::string_view text) const {
    const bool written =
        ::ftruncate(descriptor_, 0) == 0 &&
        ::pwrite(descriptor_, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
    if (!written) throw std::runtime_error("cannot write a file in memory");
  }

  std::unique_ptr<RowSource> Open(std::string_view text, const CsvOptions& options = {},
                                  const CsvLimits& limits = {}) const {
    Write(text);
    return OpenCsv(std::make_unique<FileStream>(Path()), options, limits);
  }

  std::vector<double> Read(std::string_view text, const CsvOptions& options = {},
                           const CsvLimits& limits = {}) const {
    return CsvValues(*Open(text, options, limits));
  }

  // What is said of `text`, behind the path.
  std::string Message(std::string_view text, const CsvOptions& options = {},
                      ErrorKind kind = ErrorKind::kBadData, const CsvLimits& limits = {}) const {
    const std::string message = MessageOf(kind, [&] { Read(text, options, limits); });
    const std::string prefix = Path() + ": ";
    return message.starts_with(prefix) ? message.substr(prefix.size()) : message;
  }

 private:
  int descriptor_;
};

}  // namespace rhohat
