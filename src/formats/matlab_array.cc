#include "formats/matlab_array.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "base/units.h"
#include "formats/column_major_source.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

std::string DescribeAll(std::span<const MatlabArray> arrays) {
  std::vector<std::string> described;
  for (const MatlabArray& array : arrays) described.push_back(array.Description());
  return described.empty() ? "none" : JoinNames(described);
}

void CheckIsRows(const std::string& path, const MatlabArray& array) {
  if (!array.is_numbers) {
    throw Error(ErrorKind::kBadData,
                fmt::format("{}: expected a full array of real numbers, found {}; make one of it "
                            "in MATLAB, as with full(x) or cell2mat(x), and save that",
                            path, array.Description()));
  }
  if (array.shape.size() < 2 || std::ranges::count(array.shape, 0) > 0) {
    throw Error(ErrorKind::kBadData,
                fmt::format("{}: expected at least one row and one column, found {}", path,
                            array.Description()));
  }
}

const MatlabArray& Named(const std::string& path, const std::string& name,
                         std::span<const MatlabArray> arrays) {
  const auto found = std::ranges::find(arrays, name, &MatlabArray::name);
  if (found != arrays.end()) return *found;
  throw Error(ErrorKind::kNoInput, fmt::format("{}: expected an array {}, found {}", path,
                                               PrintableName(name), DescribeAll(arrays)));
}

}  // namespace

bool MatlabArray::IsMatrix() const {
  return std::ranges::count(shape, 0) == 0 &&
         std::ranges::count_if(shape, [](int64_t length) { return length > 1; }) >= 2;
}

std::string MatlabArray::Description() const {
  std::string lengths;
  for (const int64_t length : shape) {
    lengths += fmt::format("{}{}", lengths.empty() ? "" : "×", length);
  }
  return fmt::format("{}: {}{}{}", PrintableName(name), lengths, lengths.empty() ? "" : " ", kind);
}

std::string PrintableName(std::string_view name) {
  constexpr size_t kMostShown = 80;
  std::string shown(name.substr(0, kMostShown));
  std::ranges::replace_if(
      shown, [](char c) { return c < ' ' || c > '~'; }, '?');
  return name.size() > kMostShown ? shown + "…" : shown;
}

const MatlabArray& ChooseArray(const std::string& path, const std::string& variable,
                               std::span<const MatlabArray> arrays) {
  if (!variable.empty()) {
    const MatlabArray& named = Named(path, variable, arrays);
    CheckIsRows(path, named);
    return named;
  }
  const auto fits = [](const MatlabArray& array) { return array.is_numbers && array.IsMatrix(); };
  const auto found = std::ranges::find_if(arrays, fits);
  if (found == arrays.end()) {
    throw Error(ErrorKind::kBadData, fmt::format("{}: expected a matrix of real numbers, found {}",
                                                 path, DescribeAll(arrays)));
  }
  if (std::ranges::count_if(arrays, fits) > 1) {
    throw Error(ErrorKind::kUsage,
                fmt::format("{}: holds several arrays: choose one with --array: {}", path,
                            DescribeAll(arrays)));
  }
  return *found;
}

std::unique_ptr<RowSource> MatlabRows(std::unique_ptr<InputFile> file, uint64_t offset,
                                      ElementType type, const std::vector<int64_t>& shape) {
  RowLayout layout = {.type = type, .rows = shape[0], .columns = 1, .header_bytes = offset};
  for (size_t axis = 1; axis < shape.size(); ++axis) {
    layout.columns =
        CheckedProduct(layout.columns, shape[axis], file->path() + ": the number of columns");
  }
  return std::make_unique<ColumnMajorSource>(std::move(file), layout,
                                             std::vector<int64_t>(shape.begin() + 1, shape.end()));
}

}  // namespace rhohat
