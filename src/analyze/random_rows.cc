#include "analyze/random_rows.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <span>
#include <vector>

#include "base/keyed_random.h"
#include "base/text.h"
#include "base/units.h"
#include "data/hdf5_writer.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

// Numbers are drawn for so many rows and written again and again.
constexpr int64_t kDistinctValues = int64_t{1} << 20;

void WriteRandomRows(const std::string& path, int64_t rows, int64_t columns) {
  const int64_t distinct = std::clamp<int64_t>(kDistinctValues / columns, 1, rows);
  const KeyedRandom random(1, RandomPurpose::kGradientSample);
  std::vector<float> values(
      static_cast<size_t>(CheckedProduct(distinct, columns, "rows made up, of --inputs columns")));
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(0.1 + 0.8 * random.Uniform(i));
  }
  Hdf5Writer writer(path, {.type = {ElementKind::kFloat32, false},
                           .rows = rows,
                           .columns = columns,
                           .checksum = false});
  for (int64_t row = 0; row < rows; row += distinct) {
    const int64_t count = std::min(distinct, rows - row);
    writer.Append(std::as_bytes(std::span(values).first(static_cast<size_t>(count * columns))));
  }
  writer.Commit();
}

}  // namespace

RandomRowsFile::RandomRowsFile(int64_t rows, int64_t columns) {
  std::error_code none;
  std::filesystem::path folder = std::filesystem::temp_directory_path(none);
  if (folder.empty()) folder = "/tmp";
  folder_ = (folder / "rhohat-bench-XXXXXX").string();
  if (::mkdtemp(folder_.data()) == nullptr) {
    throw Error(ErrorKind::kCannotCreate,
                fmt::format("{}: cannot be created: {}; TMPDIR names another folder", folder_,
                            ErrnoText(errno)));
  }
  path_ = folder_ + "/rows.h5";
  try {
    WriteRandomRows(path_, rows, columns);
  } catch (...) {
    std::filesystem::remove_all(folder_, none);
    throw;
  }
}

RandomRowsFile::~RandomRowsFile() {
  std::error_code none;
  std::filesystem::remove_all(folder_, none);
}

}  // namespace rhohat
