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

enum class HeaderGuess { kNo, kYes, kPerhaps };

// A first record with text in it is a header where the text stands above a value. Text above text
// may be either a name or what the column holds.
HeaderGuess GuessHeader(std::string_view first, std::string_view second, CsvDialect dialect) {
  FieldWalker names(first, dialect);
  FieldWalker values(second, dialect);
  HeaderGuess guess = HeaderGuess::kNo;
  while (!names.done()) {
    double ignored = 0;
    const bool text = ReadField(names.Next(), ignored) == FieldKind::kOther;
    const bool text_below =
        !values.done() && ReadField(values.Next(), ignored) == FieldKind::kOther;
    if (!text) continue;
    if (!text_below) return HeaderGuess::kYes;
    guess = HeaderGuess::kPerhaps;
  }
  return guess;
}

HeaderGuess ReadHeaderOption(const std::string& header) {
  if (header == "yes") return HeaderGuess::kYes;
  if (header == "no") return HeaderGuess::kNo;
  if (header == "auto") return HeaderGuess::kPerhaps;
  throw Error(ErrorKind::kUsage,
              fmt::format("--header: expected auto, yes or no, found {}", ShowField(header)));
}

// Whether a wanted field of `record` is text.
bool WantsText(std::string_view record, const CsvLayout& layout) {
  FieldWalker walker(record, layout.dialect);
  for (size_t field = 0; !walker.done(); ++field) {
    double ignored = 0;
    const bool text = ReadField(walker.Next(), ignored) == FieldKind::kOther;
    if (text && layout.column_of_field[field] >= 0) return true;
  }
  return false;
}

void CheckFieldCount(int64_t fields, const std::string& path) {
  if (fields <= kMostFields) return;
  throw Error(ErrorKind::kBadData,
              fmt::format("{}: expected at most {} fields in a record, found {}", path, kMostFields,
                          fields));
}

// The text of the record that the scanner stands at, and of the one behind it if there is one.
struct FirstRecords {
  std::string first;
  std::string_view second;
  int64_t line = 0;
};

FirstRecords ReadFirstRecords(CsvScanner& scanner) {
  CsvRecord record;
  if (!scanner.Next(record)) {
    throw Error(ErrorKind::kBadData,
                fmt::format("{}: expected rows of numbers, found no text", scanner.path()));
  }
  FirstRecords records = {.first = std::string(record.text), .line = record.line};
  if (scanner.Next(record)) records.second = record.text;
  return records;
}

}  // namespace

CsvLayout FindLayout(CsvScanner& scanner, const CsvOptions& options) {
  CsvLayout layout;
  HeaderGuess guess = ReadHeaderOption(options.header);
  layout.dialect =
      options.delimiter.empty() ? DetectDialect(scanner) : ParseDelimiter(options.delimiter);
  scanner.Start(layout.dialect);
  const FirstRecords records = ReadFirstRecords(scanner);
  layout.first_line = records.line;
  layout.fields = CountFields(records.first, layout.dialect);
  CheckFieldCount(layout.fields, scanner.path());
  if (options.header == "auto") guess = GuessHeader(records.first, records.second, layout.dialect);
  if (guess != HeaderGuess::kNo) layout.header = CsvHeader(records.first, layout.dialect);
  layout.column_of_field =
      AssignColumns(options.columns, layout.header, layout.fields, scanner.path());
  layout.columns = std::ranges::count_if(layout.column_of_field, [](int32_t c) { return c >= 0; });
  if (guess == HeaderGuess::kPerhaps && !WantsText(records.first, layout)) {
    throw Error(
        ErrorKind::kUsage,
        fmt::format("{}: line {}: cannot tell whether this is a header, or a row whose text "
                    "is not wanted; --header yes or --header no says so",
                    scanner.path(), layout.first_line));
  }
  return layout;
}

}  // namespace rhohat
