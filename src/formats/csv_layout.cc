#include "formats/csv_layout.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "rhohat/error.h"

namespace rhohat {
namespace {

constexpr int64_t kMostFields = int64_t{1} << 24;
constexpr int64_t kSampledRecords = 16;
constexpr size_t kSampledBytes = size_t{1} << 20;

struct NamedDialect {
  std::string_view name;
  CsvDialect dialect;
};

// In the order in which they are preferred where all else is equal.
constexpr std::array<NamedDialect, 5> kDialects = {{{"tab", {'\t', false}},
                                                    {"comma", {',', false}},
                                                    {"semicolon", {';', false}},
                                                    {"pipe", {'|', false}},
                                                    {"space", {' ', true}}}};

// What the first records look like, seen with one delimiter.
struct Sample {
  int64_t fields = 0;  // of the first record
  int64_t records = 0;
  int64_t agreeing = 0;  // records with as many fields as the first
  int64_t values = 0;    // fields that are numbers, or missing

  bool usable() const { return fields >= 2 && 2 * agreeing >= records; }
  bool operator<(const Sample& other) const {
    return std::tie(values, agreeing) < std::tie(other.values, other.agreeing);
  }
};

Sample TakeSample(CsvScanner& scanner, CsvDialect dialect) {
  scanner.Start(dialect);
  Sample sample;
  size_t bytes = 0;
  for (CsvRecord record; sample.records < kSampledRecords && bytes < kSampledBytes;) {
    if (!scanner.Next(record)) break;
    int64_t fields = 0;
    for (FieldWalker walker(record.text, dialect); !walker.done(); ++fields) {
      double value = 0;
      if (ReadField(walker.Next(), value) != FieldKind::kOther) ++sample.values;
    }
    if (sample.records == 0) sample.fields = fields;
    if (fields == sample.fields) ++sample.agreeing;
    ++sample.records;
    bytes += record.text.size();
  }
  return sample;
}

// The delimiter with which most fields are numbers. Where none gives several fields, there is one
// column, and a line end delimits nothing, since there is none within a record but in quotes.
CsvDialect DetectDialect(CsvScanner& scanner) {
  std::optional<Sample> best;
  CsvDialect dialect = {'\n', false};
  std::exception_ptr failure;
  for (const NamedDialect& named : kDialects) {
    try {
      const Sample sample = TakeSample(scanner, named.dialect);
      if (!sample.usable() || (best && !(*best < sample))) continue;
      best = sample;
      dialect = named.dialect;
    } catch (const Error&) {
      // Perhaps a quote that opens a field with this delimiter only.
      failure = std::current_exception();
    }
  }
  if (!best && failure) std::rethrow_exception(failure);
  return dialect;
}

CsvDialect ParseDelimiter(const std::string& delimiter) {
  for (const NamedDialect& named : kDialects) {
    const bool same = delimiter.size() == 1 && delimiter[0] == named.dialect.delimiter;
    if (delimiter == named.name || same) return named.dialect;
  }
  // Characters that numbers, quotes, comments and line ends are made of delimit nothing.
  constexpr std::string_view kPossible = "!$%&'()*/:<=>@[\\]^_`{}~";
  if (delimiter.size() == 1 && kPossible.find(delimiter[0]) != kPossible.npos) {
    return {delimiter[0], false};
  }
  throw Error(ErrorKind::kUsage,
              fmt::format("--delimiter: expected comma, tab, semicolon, space, pipe or one "
                          "character out of {}, found {}",
                          kPossible, ShowField(delimiter)));
}

// Whether the first record names the columns: one of numbers is a row, one without any is a header.
// Of some of each, the text may be names, what an unwanted column holds, or a number misspelt.
bool IsHeader(std::string_view record, int64_t line, CsvDialect dialect, const std::string& path) {
  std::string number;
  std::string text;
  for (FieldWalker walker(record, dialect); !walker.done();) {
    double ignored = 0;
    const std::string_view field = walker.Next();
    const FieldKind kind = ReadField(field, ignored);
    if (kind == FieldKind::kNumber && number.empty()) number = field;
    if (kind == FieldKind::kOther && text.empty()) text = field;
  }
  if (number.empty() || text.empty()) return !text.empty();
  throw Error(ErrorKind::kBadData,
              fmt::format("{}: line {}: expected names of columns or a row of numbers, found some "
                          "of each, such as {} and {}; --header yes takes them for names, --header "
                          "no for a row",
                          path, line, ShowField(text), ShowField(number)));
}

void CheckFieldCount(int64_t fields, const std::string& path) {
  if (fields <= kMostFields) return;
  throw Error(ErrorKind::kBadData,
              fmt::format("{}: expected at most {} fields in a record, found {}", path, kMostFields,
                          fields));
}

// The record that the scanner stands at.
CsvRecord ReadFirstRecord(CsvScanner& scanner) {
  CsvRecord record;
  if (scanner.Next(record)) return record;
  throw Error(ErrorKind::kBadData,
              fmt::format("{}: expected rows of numbers, found no text", scanner.path()));
}

}  // namespace

CsvLayout FindLayout(CsvScanner& scanner, const CsvOptions& options) {
  CsvLayout layout;
  if (options.header != "auto" && options.header != "yes" && options.header != "no") {
    throw Error(ErrorKind::kUsage, fmt::format("--header: expected auto, yes or no, found {}",
                                               ShowField(options.header)));
  }
  layout.dialect =
      options.delimiter.empty() ? DetectDialect(scanner) : ParseDelimiter(options.delimiter);
  scanner.Start(layout.dialect);
  const CsvRecord first = ReadFirstRecord(scanner);
  layout.first_line = first.line;
  layout.fields = CountFields(first.text, layout.dialect);
  CheckFieldCount(layout.fields, scanner.path());
  layout.header_was_found =
      options.header == "auto" && IsHeader(first.text, first.line, layout.dialect, scanner.path());
  if (layout.header_was_found || options.header == "yes") {
    layout.header = CsvHeader(first.text, layout.dialect);
  }
  layout.column_of_field =
      AssignColumns(options.columns, layout.header, layout.fields, scanner.path());
  layout.columns = std::ranges::count_if(layout.column_of_field, [](int32_t c) { return c >= 0; });
  return layout;
}

}  // namespace rhohat
