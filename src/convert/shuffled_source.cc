#include "convert/shuffled_source.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>

#include "rhohat/error.h"

namespace rhohat {

ShuffledSource::ShuffledSource(const BucketFile& file, const BucketLayout& layout,
                               const ShuffleKeys& keys, ElementType type)
    : file_(file),
      layout_(layout),
      keys_(keys),
      type_(type),
      records_(static_cast<size_t>(layout.most_rows()) * layout.record_bytes()),
      loaded_(layout.buckets()) {
  order_.reserve(static_cast<size_t>(layout.most_rows()));
}

int64_t ShuffledSource::columns() const {
  return static_cast<int64_t>(layout_.row_bytes() / ElementBytes(type_));
}

size_t ShuffledSource::MaxRawBytes(int64_t count) const {
  return static_cast<size_t>(count) * layout_.row_bytes();
}

size_t ShuffledSource::ReaderBytes() const {
  return static_cast<size_t>(layout_.most_rows()) * BytesInHand(layout_.record_bytes());
}

void ShuffledSource::Fetch(RowRange range, RawRows& out) {
  out.range = range;
  out.bytes.resize(MaxRawBytes(range.size()));
  std::byte* next = out.bytes.data();
  for (int64_t row = range.begin; row < range.end; ++row) {
    if (loaded_ == layout_.buckets() || row < layout_.first_row(loaded_) ||
        row >= layout_.first_row(loaded_ + 1)) {
      Load(layout_.BucketAt(row));
    }
    const Place& place = order_[static_cast<size_t>(row - layout_.first_row(loaded_))];
    std::memcpy(next, Record(place.record) + sizeof(int64_t), layout_.row_bytes());
    next += layout_.row_bytes();
  }
  out.SetOnePiece(type_, columns());
}

std::string ShuffledSource::Locate(int64_t row) const {
  return fmt::format("{}: shuffled row {}", file_.path().string(), row);
}

void ShuffledSource::Load(size_t bucket) {
  loaded_ = layout_.buckets();
  const auto rows = static_cast<uint64_t>(layout_.rows(bucket));
  const size_t bytes = rows * layout_.record_bytes();
  file_.ReadAt(layout_.offset(bucket), records_.span().first(bytes));
  file_.Forget(layout_.offset(bucket), bytes);
  bytes_read_.fetch_add(bytes, std::memory_order_relaxed);
  order_.clear();
  for (uint64_t record = 0; record < rows; ++record) {
    const int64_t row = RowNumber(record);
    const bool ascends = row > (record == 0 ? -1 : RowNumber(record - 1));
    const uint64_t key = keys_.Key(row);
    if (!ascends || row >= this->rows() || BucketOf(key, layout_.buckets()) != bucket) {
      ThrowDamaged(bucket);
    }
    order_.push_back({key, record});
  }
  std::ranges::sort(order_, [this](const Place& a, const Place& b) {
    return a.key != b.key ? a.key < b.key
                          : keys_.TieBefore(RowNumber(a.record), RowNumber(b.record));
  });
  loaded_ = bucket;
}

const std::byte* ShuffledSource::Record(uint64_t index) const {
  return records_.data() + index * layout_.record_bytes();
}

int64_t ShuffledSource::RowNumber(uint64_t index) const {
  int64_t row = 0;
  std::memcpy(&row, Record(index), sizeof(row));
  return row;
}

void ShuffledSource::ThrowDamaged(size_t bucket) const {
  throw Error(ErrorKind::kBadData,
              fmt::format("{}: expected the rows of bucket {}, found others: the file is damaged; "
                          "--restart starts anew",
                          file_.path().string(), bucket));
}

}  // namespace rhohat
