#include "formats/csv_row_parser.h"

#include <fmt/core.h>

#include <cmath>
#include <limits>
#include <utility>

#include "formats/csv_number.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

// A decimal comma, as in 3,14, can be a number in the eyes of who wrote it.
bool HasDecimalComma(std::string_view field) {
  std::string with_point(field);
  const size_t comma = with_point.find(',');
  if (comma == with_point.npos) return false;
  with_point[comma] = '.';
  double ignored = 0;
  return ReadField(with_point, ignored) == FieldKind::kNumber;
}

}  // namespace

MissingRule ParseMissingRule(const std::string& missing) {
  if (missing == "error") return {};
  if (missing == "skip") return {.skip_row = true};
  if (missing == "nan") return {.value = std::numeric_limits<double>::quiet_NaN()};
  double value = 0;
  if (ReadField(missing, value) == FieldKind::kNumber && std::isfinite(value)) {
    return {.value = value};
  }
  throw Error(ErrorKind::kUsage, fmt::format("--missing: expected error, nan, skip or a number, "
                                             "found {}",
                                             ShowField(missing)));
}

CsvRowParser::CsvRowParser(std::string path, CsvLayout layout, MissingRule missing,
                           bool columns_chosen)
    : path_(std::move(path)),
      layout_(std::move(layout)),
      missing_(missing),
      columns_chosen_(columns_chosen) {}

size_t CsvRowParser::MemoryBytes() const {
  return layout_.header.MemoryBytes() + layout_.column_of_field.capacity() * sizeof(int32_t);
}

void CsvRowParser::Parse(const CsvRecord& record, int64_t row, std::span<double> out) const {
  const std::span<const int32_t> column_of_field = layout_.column_of_field;
  FieldWalker walker(record.text, layout_.dialect);
  size_t field = 0;
  for (; !walker.done() && field < column_of_field.size(); ++field) {
    const int32_t column = column_of_field[field];
    if (column < 0) {
      walker.Next();
      continue;
    }
    double& value = out[static_cast<size_t>(column)];
    if (walker.NextNumber(value)) continue;
    value = ParseOddField(walker.Next(), record, row, static_cast<int64_t>(field));
  }
  if (!walker.done() || field != column_of_field.size()) CheckFieldCount(record);
}

bool CsvRowParser::IsLeftOut(const CsvRecord& record) const {
  if (!missing_.skip_row) return false;
  CheckFieldCount(record);
  FieldWalker walker(record.text, layout_.dialect);
  for (const int32_t column : layout_.column_of_field) {
    const std::string_view field = walker.Next();
    if (column >= 0 && IsMissing(field)) return true;
  }
  return false;
}

double CsvRowParser::ParseOddField(std::string_view field, const CsvRecord& record, int64_t row,
                                   int64_t number) const {
  double value = 0;
  const FieldKind kind = ReadField(field, value);
  if (kind == FieldKind::kNumber) return value;
  if (kind == FieldKind::kMissing && missing_.value) return *missing_.value;
  // Where fields are lost or added, that they no longer fit their columns is only what follows.
  CheckFieldCount(record);
  if (kind == FieldKind::kMissing) ThrowMissing(record, number, field);
  ThrowNoNumber(record, row, number, field);
}

void CsvRowParser::CheckFieldCount(const CsvRecord& record) const {
  const int64_t found = CountFields(record.text, layout_.dialect);
  if (found == layout_.fields) return;
  throw Error(ErrorKind::kBadData,
              fmt::format("{}: line {}: expected {} {} as in line {}, found {}", path_, record.line,
                          layout_.fields, layout_.fields == 1 ? "field" : "fields",
                          layout_.first_line, found));
}

std::string CsvRowParser::Place(const CsvRecord& record, int64_t field) const {
  std::string place = fmt::format("{}: line {}, column {}", path_, record.line, field);
  const std::string name = layout_.header.NameOf(field);
  if (!name.empty()) place += fmt::format(" (\"{}\")", ShowText(name));
  return place;
}

void CsvRowParser::ThrowMissing(const CsvRecord& record, int64_t field,
                                std::string_view text) const {
  throw Error(ErrorKind::kBadData,
              fmt::format("{}: expected a number, found {}; --missing nan, skip or a number says "
                          "what to do",
                          Place(record, field), text.empty() ? "an empty field" : ShowField(text)));
}

void CsvRowParser::ThrowNoNumber(const CsvRecord& record, int64_t row, int64_t field,
                                 std::string_view text) const {
  std::string_view way_out;
  if (HasDecimalComma(text)) {
    way_out = "; decimal commas are not read, write 3.14";
  } else if (row == 0 && !columns_chosen_ && layout_.fields > 1) {
    way_out = "; a column of text can be left out with --use-columns";
  }
  throw Error(ErrorKind::kBadData, fmt::format("{}: expected a number, found {}{}",
                                               Place(record, field), ShowField(text), way_out));
}

}  // namespace rhohat
