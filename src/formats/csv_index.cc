#include "formats/csv_index.h"

#include <algorithm>

namespace rhohat {
namespace {

constexpr size_t kMostMarks = 4096;

}  // namespace

void CsvIndex::Add(size_t text_bytes, int64_t line) {
  if ((rows_ & (mark_rows_ - 1)) == 0) {
    if (marks_.size() == kMostMarks) {
      for (size_t i = 0; i < kMostMarks / 2; ++i) marks_[i] = marks_[2 * i];
      marks_.resize(kMostMarks / 2);
      mark_rows_ *= 2;
    }
    // Row kMostMarks × N is a mark for 2N too.
    marks_.push_back({text_bytes_, line});
  }
  ++rows_;
  text_bytes_ += text_bytes;
  longest_row_ = std::max(longest_row_, text_bytes);
  last_line_ = line;
}

uint64_t CsvIndex::MostTextBytes(int64_t count) const {
  if (count <= 0) return 0;
  uint64_t most = text_bytes_;
  uint64_t product = 0;
  if (!__builtin_mul_overflow(static_cast<uint64_t>(count), longest_row_, &product)) {
    most = std::min(most, product);
  }
  if (count >= rows_) return most;
  // So many stretches between marks cover any `count` rows, wherever they begin.
  const auto stretches = static_cast<size_t>((mark_rows_ + count - 2) / mark_rows_ + 1);
  if (stretches >= marks_.size()) return most;
  uint64_t most_covered = text_bytes_ - marks_[marks_.size() - stretches].text_bytes;
  for (size_t i = 0; i + stretches < marks_.size(); ++i) {
    most_covered = std::max(most_covered, marks_[i + stretches].text_bytes - marks_[i].text_bytes);
  }
  return std::min(most, most_covered);
}

bool CsvIndex::Contradicts(int64_t row, uint64_t text_bytes) const {
  if (row >= rows_) return row > rows_ || text_bytes != text_bytes_;
  if ((row & (mark_rows_ - 1)) != 0) return false;
  return marks_[static_cast<size_t>(row / mark_rows_)].text_bytes != text_bytes;
}

std::optional<int64_t> CsvIndex::LineOf(int64_t row) const {
  if (row < 0 || row >= rows_) return std::nullopt;
  const auto mark = static_cast<size_t>(row / mark_rows_);
  const int64_t before = static_cast<int64_t>(mark) * mark_rows_;
  const bool last = mark + 1 == marks_.size();
  const int64_t next_row = last ? rows_ - 1 : before + mark_rows_;
  const int64_t next_line = last ? last_line_ : marks_[mark + 1].line;
  // Rows begin on lines of their own, so if there are as many lines as rows they go one by one.
  if (next_line - marks_[mark].line != next_row - before && row != before) return std::nullopt;
  return marks_[mark].line + (row - before);
}

}  // namespace rhohat
