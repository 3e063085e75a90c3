// Which fields of a record are wanted, by the header's names or by number.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/csv_fields.h"

namespace rhohat {

// The names of the fields, kept as the text of the record that holds them, since there may be
// millions.
class CsvHeader {
 public:
  CsvHeader() = default;  // no names
  CsvHeader(std::string_view record, CsvDialect dialect) : record_(record), dialect_(dialect) {}

  bool exists() const { return !record_.empty(); }

  // "" where there is none.
  std::string NameOf(int64_t field) const;

  // The fields of that name, ascending.
  std::vector<int64_t> Find(std::string_view name) const;

  // The existing name that is nearest, or "".
  std::string Nearest(std::string_view name) const;

  size_t MemoryBytes() const { return record_.capacity(); }

 private:
  std::string record_;
  CsvDialect dialect_;
};

// For every field of a record, the column that it becomes, or -1. `columns` are as in CsvOptions.
// Throws Error(kUsage) for one that does not exist, is named twice, or can be understood in two
// ways. `path` begins the message.
std::vector<int32_t> AssignColumns(const std::vector<std::string>& columns, const CsvHeader& header,
                                   int64_t fields, const std::string& path);

}  // namespace rhohat
