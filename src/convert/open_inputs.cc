#include "convert/open_inputs.h"

#include <fmt/core.h>
#include <glob.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "convert/joined_rows.h"
#include "convert/row_view.h"
#include "formats/open_rows.h"
#include "formats/picture_folder.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> Matches(const std::string& pattern) {
  glob_t found = {};
  std::vector<std::string> paths;
  if (::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found) == 0) {
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  }
  ::globfree(&found);
  std::ranges::sort(paths, NaturalLess);
  return paths;
}

int64_t ParseIndex(std::string_view text, std::string_view flag, std::string_view whole) {
  int64_t value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status == std::errc() && end == text.data() + text.size() && value >= 0) return value;
  throw Error(ErrorKind::kUsage,
              fmt::format("{}: expected numbers from 0 on, found '{}' in '{}'", flag, text, whole));
}

// "BEGIN:END", of which either may be left out.
RowRange ParseRows(std::string_view text, int64_t rows) {
  if (text.empty()) return {0, rows};
  const size_t colon = text.find(':');
  if (colon == text.npos) {
    throw Error(ErrorKind::kUsage, fmt::format("--rows: expected BEGIN:END, found '{}'", text));
  }
  const std::string_view begin = text.substr(0, colon);
  const std::string_view end = text.substr(colon + 1);
  return {begin.empty() ? 0 : ParseIndex(begin, "--rows", text),
          end.empty() ? rows : ParseIndex(end, "--rows", text)};
}

std::vector<int64_t> ParseColumns(std::string_view text) {
  std::vector<int64_t> columns;
  if (text.empty()) return columns;
  for (const std::string& part : Split(text, ',')) {
    const size_t dash = part.find('-');
    const int64_t first = ParseIndex(std::string_view(part).substr(0, dash), "--use-columns", text);
    const int64_t last = dash == part.npos ? first
                                           : ParseIndex(std::string_view(part).substr(dash + 1),
                                                        "--use-columns", text);
    constexpr int64_t kMost = int64_t{1} << 24;
    if (last < first || last - first > kMost) {
      throw Error(ErrorKind::kUsage,
                  fmt::format("--use-columns: '{}' is no range of columns", part));
    }
    for (int64_t column = first; column <= last; ++column) columns.push_back(column);
  }
  return columns;
}

// Headerless binary has the type that it is said to have, or that of the output.
ElementType RawType(const ConvertOptions& options) {
  const std::string& name =
      options.input.input_dtype.empty() ? options.dtype : options.input.input_dtype;
  if (name.empty()) {
    throw Error(ErrorKind::kUsage,
                "--format raw needs --input-dtype (or --dtype) and --columns: a headerless file "
                "does not say what it holds");
  }
  return ParseElementType(name);
}

}  // namespace

std::vector<std::string> ExpandInputs(const std::vector<std::string>& inputs) {
  std::vector<std::string> files;
  for (const std::string& input : inputs) {
    std::error_code ignored;
    std::vector<std::string> some = {input};
    if (fs::is_directory(input, ignored)) {
      some = PicturesIn(input);
      if (some.empty()) {
        throw Error(ErrorKind::kNoInput, input + ": is a folder without PNG or JPEG pictures");
      }
    } else if (!fs::exists(input, ignored) && input.find_first_of("*?[") != std::string::npos) {
      some = Matches(input);
      if (some.empty()) throw Error(ErrorKind::kNoInput, input + ": matches no file");
    }
    files.insert(files.end(), some.begin(), some.end());
  }
  return files;
}

std::unique_ptr<RowSource> OpenInputs(const std::vector<std::string>& files,
                                      const ConvertOptions& options,
                                      const std::string& spool_folder) {
  std::vector<Format> formats;
  formats.reserve(files.size());
  for (const std::string& file : files) formats.push_back(FormatOf(file, options.input));
  CheckOptionsApply(options.input, formats);
  const auto all = [&](Format format) {
    return std::ranges::all_of(formats, [&](Format found) { return found == format; });
  };

  OpenOptions open{.input = options.input, .spool_folder = spool_folder};
  const bool all_csv = all(Format::kCsv);
  if (all_csv && !options.use_columns.empty()) open.csv_columns = Split(options.use_columns, ',');
  if (options.input.format == "raw") open.raw_type = RawType(options);
  std::unique_ptr<RowSource> source;
  if (all(Format::kPicture)) {
    source = OpenPictureRows(files, options.input);
  } else {
    source = std::make_unique<JoinedRows>(
        files, [=](size_t i) { return OpenRows(files[i], formats[i], open); });
  }
  const RowRange rows = ParseRows(options.rows, source->rows());
  const std::vector<int64_t> columns =
      all_csv ? std::vector<int64_t>() : ParseColumns(options.use_columns);
  const bool all_rows = rows.begin == 0 && rows.end == source->rows();
  if (all_rows && columns.empty()) return source;
  return std::make_unique<RowView>(std::move(source), rows, columns);
}

}  // namespace rhohat
