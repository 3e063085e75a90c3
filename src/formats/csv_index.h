// What the first pass over a text file remembers of its rows: their number, and for every N-th of
// them where it lies. N doubles when there are too many of these marks, so that memory stays small
// whatever the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace rhohat {

class CsvIndex {
 public:
  // The next row: how long its text is and on which line it begins.
  void Add(size_t text_bytes, int64_t line);

  int64_t rows() const { return rows_; }
  uint64_t text_bytes() const { return text_bytes_; }

  // The most text that any `count` consecutive rows have, or somewhat more.
  uint64_t MostTextBytes(int64_t count) const;

  // Whether `text_bytes` before `row` contradict what was seen in the first pass.
  bool Contradicts(int64_t row, uint64_t text_bytes) const;

  // Where it is certain.
  std::optional<int64_t> LineOf(int64_t row) const;

  size_t MemoryBytes() const { return marks_.capacity() * sizeof(Mark); }

 private:
  struct Mark {
    uint64_t text_bytes = 0;  // before the row
    int64_t line = 0;
  };

  std::vector<Mark> marks_;  // of rows 0, N, 2N, …
  int64_t mark_rows_ = 1;    // N, a power of two
  int64_t rows_ = 0;
  uint64_t text_bytes_ = 0;
  size_t longest_row_ = 0;
  int64_t last_line_ = 0;
};

}  // namespace rhohat
