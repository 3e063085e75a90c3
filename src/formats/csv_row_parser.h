// The wanted fields of one record to float64. Everything that is wrong with a record is found and
// said here, with its line, column and name.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "formats/csv_layout.h"
#include "formats/csv_scanner.h"

namespace rhohat {

// What becomes of a field without a value.
struct MissingRule {
  bool skip_row = false;
  std::optional<double> value;  // else it is an error
};

// From CsvOptions::missing. Throws Error(kUsage).
MissingRule ParseMissingRule(const std::string& missing);

// Thread-safe.
class CsvRowParser {
 public:
  // `columns_chosen`: not all are wanted because they are there.
  CsvRowParser(std::string path, CsvLayout layout, MissingRule missing, bool columns_chosen);

  const CsvLayout& layout() const { return layout_; }

  // Sets out[0 … columns). `row` is its number. Throws Error(kBadData).
  void Parse(const CsvRecord& record, int64_t row, std::span<double> out) const;

  // Whether the record is left out since it lacks a wanted value. Throws Error(kBadData) where it
  // has not as many fields as the first record.
  bool IsLeftOut(const CsvRecord& record) const;

  size_t MemoryBytes() const;

 private:
  // A field with quotes or blanks, or that is not a decimal number.
  double ParseOddField(std::string_view field, const CsvRecord& record, int64_t row,
                       int64_t number) const;
  void CheckFieldCount(const CsvRecord& record) const;
  // "data.csv: line 17, column 3 ("speed")"
  std::string Place(const CsvRecord& record, int64_t field) const;
  [[noreturn]] void ThrowMissing(const CsvRecord& record, int64_t field,
                                 std::string_view text) const;
  [[noreturn]] void ThrowNoNumber(const CsvRecord& record, int64_t row, int64_t field,
                                  std::string_view text) const;

  std::string path_;
  CsvLayout layout_;
  MissingRule missing_;
  bool columns_chosen_;
};

}  // namespace rhohat
