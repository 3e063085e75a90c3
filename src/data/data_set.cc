#include "data/data_set.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/units.h"
#include "rhohat/error.h"

namespace rhohat {

DataSet::DataSet(const DataOptions& options) : options_(options), first_rows_{0} {
  if (options.files.empty()) throw Error(ErrorKind::kUsage, "no data files were given");
  for (const std::string& file : options.files) AddFile(file);
}

void DataSet::AddFile(const std::string& file) {
  files_.push_back(Hdf5DataSet::Open(file, options_.dataset, options_.follow_external).info());
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
  if (options_.reader == Reader::kDirect && !info.library_reason.empty()) {
    throw Error(ErrorKind::kBadData,
                fmt::format("{}: cannot be read directly: {}", info.where(), info.library_reason));
  }
  const bool direct = options_.reader != Reader::kLibrary && info.library_reason.empty();
  direct_.push_back(direct ? std::make_unique<DirectReader>(info, resources_) : nullptr);
  int64_t end = 0;
  if (__builtin_add_overflow(first_rows_.back(), info.rows, &end)) {
    throw Error(ErrorKind::kBadData, fmt::format("{}: too many rows in all", info.where()));
  }
  first_rows_.push_back(end);
}

ElementType DataSet::type() const {
  const ElementType first = files_.front().element;
  const bool all_equal = std::ranges::all_of(
      files_, [&](const Hdf5DataSetInfo& info) { return info.element == first; });
  return all_equal ? first : ElementType{ElementKind::kFloat64, false};
}

// What `count` rows take in RawRows::bytes.
size_t DataSet::RowsBytes(int64_t count) const {
  size_t most = 0;
  for (size_t i = 0; i < files_.size(); ++i) {
    const size_t row_bytes = direct_[i]
                                 ? direct_[i]->RawBytesPerRow()
                                 : static_cast<size_t>(columns()) * ElementBytes(files_[i].element);
    most = std::max(most, row_bytes);
  }
  return static_cast<size_t>(
      CheckedProduct(count, static_cast<int64_t>(most), files_.front().where()));
}

size_t DataSet::MaxRawBytes(int64_t count) const {
  size_t places = 0;
  for (const auto& direct : direct_) {
    if (direct) places = std::max(places, direct->PlacesBytes(count));
  }
  return RowsBytes(count) + places;
}

// Rows in hand hold the parcels of every file that lies within them whole. Of a file at either end
// they touch as many as they fill and two more, since a file's last parcel need not be full.
size_t DataSet::ParcelBytes(int64_t count) const {
  size_t most = 0;
  double most_per_row = 0;
  for (const auto& direct : direct_) {
    if (!direct) continue;
    most = std::max(most, direct->ParcelBytes());
    most_per_row = std::max(most_per_row, direct->ParcelBytesPerRow());
  }
  const auto in_hand = static_cast<double>(std::min(count, rows()));
  const auto filled = static_cast<size_t>(std::min(most_per_row * in_hand, 0x1p60));
  return most == 0 ? 0 : filled + (direct_.size() > 1 ? 3 : 2) * most;
}

size_t DataSet::ReaderBytes() const {
  size_t library = 0;
  size_t indexes = 0;
  for (size_t i = 0; i < files_.size(); ++i) {
    if (direct_[i]) {
      indexes += direct_[i]->MemoryBytes();
    } else {
      library = std::max(library, files_[i].reader_bytes);
    }
  }
  return library + indexes;
}

size_t DataSet::UnpackBytes() const {
  size_t most = 0;
  for (const auto& direct : direct_) {
    if (direct) most = std::max(most, direct->ScratchBytes());
  }
  return most;
}

int64_t DataSet::ParcelRows() const {
  int64_t most = 1;
  for (const auto& direct : direct_) {
    if (direct) most = std::max(most, direct->ParcelRows());
  }
  return most;
}

int64_t DataSet::readers() const {
  constexpr int64_t kMostReaders = 8;
  const bool any = std::ranges::any_of(direct_, [](const auto& direct) { return bool{direct}; });
  return any ? kMostReaders : 1;
}

bool DataSet::IsWhole() const {
  return std::ranges::none_of(direct_,
                              [](const auto& direct) { return direct && direct->has_unwritten(); });
}

size_t DataSet::FileOf(int64_t row) const {
  const auto after = std::upper_bound(first_rows_.begin(), first_rows_.end(), row);
  return static_cast<size_t>(after - first_rows_.begin()) - 1;
}

void DataSet::CheckUnchanged(const Hdf5DataSetInfo& known, uint64_t bytes, int64_t modified) const {
  if (bytes == known.file_bytes && modified == known.modified_nanoseconds) return;
  throw Error(ErrorKind::kBadData,
              fmt::format("{}: has changed since this run began", known.where()));
}

void DataSet::OpenFile(size_t index) {
  if (open_index_ == index) return;
  library_.reset();
  const Hdf5DataSetInfo& known = files_[index];
  if (direct_[index]) {
    auto file = std::make_shared<const InputFile>(known.file);
    CheckUnchanged(known, file->bytes(), file->modified_nanoseconds());
    direct_[index]->StartPass(std::move(file));
  } else {
    library_ = Hdf5DataSet::Open(known.file, known.dataset, options_.follow_external);
    const Hdf5DataSetInfo& now = library_->info();
    CheckUnchanged(known, now.file_bytes, now.modified_nanoseconds);
  }
  if (open_index_ && direct_[*open_index_]) direct_[*open_index_]->StartPass(nullptr);
  open_index_ = index;
}

void DataSet::Fetch(RowRange range, RawRows& out) {
  if (range.begin < next_row_ && open_index_) {
    // A new pass looks again whether the files are the same.
    if (direct_[*open_index_]) direct_[*open_index_]->StartPass(nullptr);
    open_index_.reset();
  }
  out.Start(range);
  out.bytes.resize(RowsBytes(range.size()));
  size_t byte_offset = 0;
  for (int64_t row = range.begin; row < range.end;) {
    const size_t index = FileOf(row);
    const int64_t first = first_rows_[index];
    const int64_t end = std::min(range.end, first_rows_[index + 1]);
    OpenFile(index);
    const RowRange in_file{row - first, end - first};
    if (direct_[index]) {
      direct_[index]->Fetch(in_file, row - range.begin, byte_offset, out);
    } else {
      FetchByLibrary(index, in_file, row - range.begin, byte_offset, out);
    }
    row = end;
  }
  next_row_ = range.end;
}

void DataSet::FetchByLibrary(size_t index, RowRange range, int64_t first_row, size_t& byte_offset,
                             RawRows& out) {
  const ElementType element = files_[index].element;
  const size_t row_bytes = static_cast<size_t>(columns()) * ElementBytes(element);
  library_->Read(range, out.bytes.data() + byte_offset);
  out.AddPiece({.type = element,
                .first_row = first_row,
                .rows = range.size(),
                .columns = columns(),
                .data = out.bytes.data() + byte_offset,
                .row_stride = row_bytes});
  const size_t bytes = static_cast<size_t>(range.size()) * row_bytes;
  byte_offset += bytes;
  resources_->bytes_read.fetch_add(bytes, std::memory_order_relaxed);
}

void DataSet::Read(RawRows& rows) {
  RowSource::Read(rows);
  uint64_t bytes = 0;
  for (const RawRows::Segment& segment : rows.segments) bytes += segment.bytes;
  resources_->bytes_read.fetch_add(bytes, std::memory_order_relaxed);
}

std::string DataSet::Locate(int64_t row) const {
  const size_t index = FileOf(row);
  return fmt::format("{} row {}", files_[index].where(), row - first_rows_[index]);
}

}  // namespace rhohat
