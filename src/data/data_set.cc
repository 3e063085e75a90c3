#include "data/data_set.h"

#include <fmt/core.h>

#include <algorithm>

#include "rhohat/error.h"

namespace rhohat {

DataSet::DataSet(const DataOptions& options) : options_(options), first_rows_{0} {
  if (options.files.empty()) throw Error(ErrorKind::kUsage, "no data files were given");
  for (const std::string& file : options.files) {
    files_.push_back(Hdf5DataSet::Open(file, options.dataset, options.follow_external).info());
    const Hdf5DataSetInfo& info = files_.back();
    if (info.rows == 0 || info.columns == 0) {
      throw Error(ErrorKind::kBadData,
                  fmt::format("{}: has no {}", info.where(), info.rows == 0 ? "rows" : "columns"));
    }
    if (info.columns != files_.front().columns) {
      throw Error(ErrorKind::kBadData,
                  fmt::format("{}: expected {} columns as in {}, found {}", info.where(),
                              files_.front().columns, files_.front().where(), info.columns));
    }
    first_rows_.push_back(first_rows_.back() + info.rows);
  }
}

ElementType DataSet::type() const {
  const ElementType first = files_.front().element;
  const bool all_equal = std::ranges::all_of(
      files_, [&](const Hdf5DataSetInfo& info) { return info.element == first; });
  return all_equal ? first : ElementType{ElementKind::kFloat64, false};
}

size_t DataSet::MaxRawBytes(int64_t count) const {
  size_t widest = 0;
  for (const Hdf5DataSetInfo& info : files_) widest = std::max(widest, ElementBytes(info.element));
  return static_cast<size_t>(count) * static_cast<size_t>(columns()) * widest;
}

size_t DataSet::ReaderBytes() const {
  size_t most = 0;
  for (const Hdf5DataSetInfo& info : files_) most = std::max(most, info.reader_bytes);
  return most;
}

size_t DataSet::FileOf(int64_t row) const {
  const auto after = std::upper_bound(first_rows_.begin(), first_rows_.end(), row);
  return static_cast<size_t>(after - first_rows_.begin()) - 1;
}

const Hdf5DataSet& DataSet::OpenFile(size_t index) {
  if (open_ && open_index_ == index) return *open_;
  open_.reset();
  const Hdf5DataSetInfo& known = files_[index];
  Hdf5DataSet opened = Hdf5DataSet::Open(known.file, known.dataset, options_.follow_external);
  const Hdf5DataSetInfo& now = opened.info();
  if (now.file_bytes != known.file_bytes ||
      now.modified_nanoseconds != known.modified_nanoseconds || now.shape != known.shape ||
      now.element != known.element) {
    throw Error(ErrorKind::kBadData,
                fmt::format("{}: has changed since this run began", known.where()));
  }
  open_ = std::move(opened);
  open_index_ = index;
  return *open_;
}

void DataSet::Fetch(RowRange range, RawRows& out) {
  if (range.begin == 0) open_.reset();  // a new pass looks again whether the file is the same
  out.range = range;
  out.pieces.clear();
  out.bytes.resize(MaxRawBytes(range.size()));
  size_t offset = 0;
  for (int64_t row = range.begin; row < range.end;) {
    const size_t index = FileOf(row);
    const int64_t first = first_rows_[index];
    const int64_t end = std::min(range.end, first_rows_[index + 1]);
    const Hdf5DataSet& file = OpenFile(index);
    file.Read({row - first, end - first}, out.bytes.data() + offset);
    out.pieces.push_back(
        {.type = file.info().element,
         .first_row = row - range.begin,
         .rows = end - row,
         .columns = columns(),
         .data = out.bytes.data() + offset,
         .row_stride = static_cast<size_t>(columns()) * ElementBytes(file.info().element)});
    const size_t bytes = static_cast<size_t>(end - row) * static_cast<size_t>(columns()) *
                         ElementBytes(file.info().element);
    offset += bytes;
    bytes_read_.fetch_add(bytes, std::memory_order_relaxed);
    row = end;
  }
}

std::string DataSet::Locate(int64_t row) const {
  const size_t index = FileOf(row);
  return fmt::format("{} row {}", files_[index].where(), row - first_rows_[index]);
}

}  // namespace rhohat
