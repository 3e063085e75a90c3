// Text with numbers in columns: CSV, TSV and their relatives, gzipped or not.
//
// The number of rows must be known before the first is read, so the text is gone through twice: a
// first pass cuts it into records, counts them and notes how long they are; each later pass cuts
// again on the reading thread, and leaves fields and numbers to the compute threads.
//
// Text is ASCII or UTF-8. Fields are quoted as in RFC 4180 (csv_fields.h); numbers are read as
// Python's float() does (csv_number.h). A byte order mark, blank lines, and lines that begin with #
// before the first record are skipped (csv_scanner.h). All records have as many fields as the
// first.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "data/row_source.h"
#include "formats/byte_stream.h"
#include "formats/csv_options.h"

namespace rhohat {

// Rows of float64. Throws Error(kUsage) for options that cannot be or do not fit the file,
// Error(kBadData) where the text has no rows or is not text in records. A field that is not a
// number is found when its row is unpacked.
std::unique_ptr<RowSource> OpenCsv(std::unique_ptr<ByteStream> stream, const CsvOptions& options,
                                   const CsvLimits& limits = {});

// Whether a file that starts with these bytes may be numbers in columns: text, and none of the
// marks that JSON, XML or PDF begin with. True for UTF-16 with a byte order mark too, so that it is
// refused by name.
bool LooksLikeCsv(std::span<const std::byte> first_bytes);

}  // namespace rhohat
