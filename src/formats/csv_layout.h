// How the records of a text file are laid out, found out from the first of them: the delimiter,
// whether there is a header, how many fields there are and which of them are wanted.
#pragma once

#include <cstdint>
#include <vector>

#include "formats/csv_columns.h"
#include "formats/csv_fields.h"
#include "formats/csv_options.h"
#include "formats/csv_scanner.h"

namespace rhohat {

struct CsvLayout {
  CsvDialect dialect;
  CsvHeader header;                      // exists where the first record is one
  bool header_was_found = false;         // by what is in it, and not by an option
  int64_t fields = 0;                    // of every record
  int64_t first_line = 0;                // of the first record
  int64_t columns = 0;                   // that are wanted
  std::vector<int32_t> column_of_field;  // -1: not wanted
};

// Reads the first few records, perhaps several times. Throws Error(kUsage) for options that are
// unknown or do not fit the file; Error(kBadData) where there are no records, or where the first
// may be a header or a row.
CsvLayout FindLayout(CsvScanner& scanner, const CsvOptions& options);

}  // namespace rhohat
