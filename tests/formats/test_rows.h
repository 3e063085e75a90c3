// Reads a source as the library would.
#pragma once

#include <algorithm>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "data/row_source.h"
#include "formats/open_rows.h"
#include "tests/formats/test_files.h"

namespace rhohat {

// Whatever the file is, read without options.
inline std::unique_ptr<RowSource> OpenRows(const std::string& path) {
  return OpenRows(path, FormatOf(path, {}), {});
}

// All values in one pass, fetched `block` rows at a time; 0 for all at once.
inline std::vector<double> ReadAll(RowSource& source, int64_t block = 0) {
  const int64_t step = block > 0 ? block : source.rows();
  std::vector<double> values;
  RawRows raw;
  for (int64_t begin = 0; begin < source.rows(); begin += step) {
    FetchAndUnpack(source, {begin, std::min(begin + step, source.rows())}, raw);
    EXPECT_LE(raw.bytes.size(), source.MaxRawBytes(raw.range.size()));
    std::vector<double> rows(static_cast<size_t>(raw.range.size() * source.columns()));
    DecodeRows<double>(source, raw, rows);
    values.insert(values.end(), rows.begin(), rows.end());
  }
  return values;
}

// The numbers from 0 on.
inline std::vector<double> Counting(size_t count) {
  std::vector<double> values(count);
  std::iota(values.begin(), values.end(), 0.0);
  return values;
}

}  // namespace rhohat
