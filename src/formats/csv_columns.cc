#include "formats/csv_columns.h"

#include <fmt/core.h>

#include <charconv>
#include <numeric>
#include <system_error>

#include "base/text.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

constexpr size_t kMostCandidates = 10'000;  // names that are looked through for a near one

[[noreturn]] void Refuse(const std::string& path, const std::string& what) {
  throw Error(ErrorKind::kUsage, fmt::format("{}: --use-columns: {}", path, what));
}

// "7" or "3-7", both included.
struct FieldRange {
  int64_t first = 0;
  int64_t last = 0;
};

std::optional<FieldRange> ParseFieldRange(std::string_view text) {
  const char* const end = text.data() + text.size();
  FieldRange range;
  const auto [dash, status] = std::from_chars(text.data(), end, range.first);
  if (status != std::errc() || text.front() == '-') return std::nullopt;
  range.last = range.first;
  if (dash == end) return range;
  if (*dash != '-' || dash + 1 == end || dash[1] == '-') return std::nullopt;
  const auto [stop, last_status] = std::from_chars(dash + 1, end, range.last);
  if (last_status != std::errc() || stop != end) return std::nullopt;
  return range;
}

[[noreturn]] void RefuseUnknown(const std::string& column, const CsvHeader& header,
                                const std::string& path) {
  const std::string expected = fmt::format(
      "expected the name of a column or its number, from 0, "
      "found {}",
      ShowField(column));
  if (!header.exists()) Refuse(path, expected + "; there is no header with names");
  const std::string nearest = header.Nearest(column);
  if (nearest.empty()) Refuse(path, expected);
  Refuse(path, fmt::format("{}; is {} meant?", expected, ShowField(nearest)));
}

// The fields that one entry of --use-columns stands for.
FieldRange Resolve(const std::string& column, const CsvHeader& header, int64_t fields,
                   const std::string& path) {
  const std::vector<int64_t> named = header.Find(column);
  const std::optional<FieldRange> range = ParseFieldRange(column);
  if (!named.empty()) {
    const int64_t field = named.front();
    if (named.size() > 1) {
      Refuse(path, fmt::format("{} is the name of columns {} and {}; give the number", column,
                               field, named[1]));
    }
    const bool numbers_exist = range && range->first <= range->last && range->last < fields;
    if (numbers_exist && (range->first != field || range->last != field)) {
      Refuse(path, fmt::format("{0} is the name of column {1}, and a number as well; write {1}-{1} "
                               "for the name, {2}-{3} for the number",
                               column, field, range->first, range->last));
    }
    return {field, field};
  }
  if (!range) RefuseUnknown(column, header, path);
  if (range->first > range->last || range->last >= fields) {
    Refuse(path, fmt::format("expected columns from 0 to {}, found {}", fields - 1, column));
  }
  return *range;
}

}  // namespace

std::string CsvHeader::NameOf(int64_t field) const {
  if (!exists()) return "";
  FieldWalker walker(record_, dialect_);
  for (; field > 0 && !walker.done(); --field) walker.Next();
  return walker.done() ? "" : UnescapeQuotes(walker.Next());
}

std::vector<int64_t> CsvHeader::Find(std::string_view name) const {
  std::vector<int64_t> found;
  if (!exists()) return found;
  int64_t field = 0;
  for (FieldWalker walker(record_, dialect_); !walker.done(); ++field) {
    const std::string_view text = walker.Next();
    const bool escaped = text.find('"') != text.npos;
    if (escaped ? UnescapeQuotes(text) == name : text == name) found.push_back(field);
  }
  return found;
}

std::string CsvHeader::Nearest(std::string_view name) const {
  std::vector<std::string> candidates;
  FieldWalker walker(record_, dialect_);
  while (!walker.done() && candidates.size() < kMostCandidates) {
    candidates.push_back(UnescapeQuotes(walker.Next()));
  }
  return NearestName(name, candidates);
}

std::vector<int32_t> AssignColumns(const std::vector<std::string>& columns, const CsvHeader& header,
                                   int64_t fields, const std::string& path) {
  std::vector<int32_t> column_of_field(static_cast<size_t>(fields), -1);
  if (columns.empty()) std::iota(column_of_field.begin(), column_of_field.end(), 0);
  int32_t next = 0;
  for (const std::string& column : columns) {
    const FieldRange range = Resolve(column, header, fields, path);
    for (int64_t field = range.first; field <= range.last; ++field) {
      int32_t& assigned = column_of_field[static_cast<size_t>(field)];
      if (assigned >= 0) Refuse(path, fmt::format("column {} is asked for twice", field));
      assigned = next++;
    }
  }
  return column_of_field;
}

}  // namespace rhohat
