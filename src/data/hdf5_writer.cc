#include "data/hdf5_writer.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/atomic_file.h"
#include "base/units.h"
#include "data/data_set.h"
#include "data/hdf5_filters.h"
#include "data/hdf5_type.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

constexpr int64_t kChunkBytes = int64_t{1} << 20;
constexpr uint64_t kWritebackBytes = uint64_t{32} << 20;
// A chunk's size is a 32-bit number in this version of the format, and its filters may add a few
// bytes.
constexpr int64_t kMostChunkBytes = (int64_t{1} << 32) - (int64_t{1} << 25);

int64_t RowBytes(const Hdf5WriterOptions& options) {
  return CheckedProduct(options.columns, static_cast<int64_t>(ElementBytes(options.type)),
                        "a row of the output");
}

std::vector<ChunkFilter> FiltersOf(const Hdf5WriterOptions& options, size_t chunk_bytes) {
  const size_t element_bytes = ElementBytes(options.type);
  std::vector<ChunkFilter> filters;
  if (options.shuffle_bytes && element_bytes > 1) {
    filters.push_back(MakeFilter(FilterKind::kShuffle, 0, element_bytes, chunk_bytes));
  }
  if (options.compression) {
    filters.push_back(MakeFilter(*options.compression, options.level, element_bytes, chunk_bytes));
  }
  if (options.checksum) {
    filters.push_back(MakeFilter(FilterKind::kFletcher32, 0, element_bytes, chunk_bytes));
  }
  return filters;
}

}  // namespace

int64_t ChunkRowsOf(const Hdf5WriterOptions& options) {
  const int64_t row_bytes = RowBytes(options);
  const int64_t most = std::max<int64_t>(1, kMostChunkBytes / row_bytes);
  const int64_t wanted =
      options.chunk_rows > 0 ? options.chunk_rows : std::max<int64_t>(1, kChunkBytes / row_bytes);
  return std::min({wanted, most, std::max<int64_t>(1, options.rows)});
}

Hdf5Writer::Hdf5Writer(const std::string& path, const Hdf5WriterOptions& options)
    : path_(FollowLinks(path)),
      temporary_(TemporaryNameFor(path_)),
      options_(options),
      chunk_rows_(ChunkRowsOf(options)),
      row_bytes_(static_cast<size_t>(RowBytes(options))) {
  CheckCreatable(path);
  CheckedProduct(options.rows, RowBytes(options), path);
  const size_t chunk_bytes = static_cast<size_t>(chunk_rows_) * row_bytes_;
  pipeline_ = std::make_unique<FilterPipeline>(FiltersOf(options, chunk_bytes), chunk_bytes);
  try {
    Create();
  } catch (...) {
    Abandon();
    throw;
  }
}

void Hdf5Writer::Create() {
  const Hdf5Lock lock;
  RegisterFilters();
  const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_file_locking(access.id(), false, true);
  file_ =
      Hdf5Handle(H5Fcreate(temporary_.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access.id()), H5Fclose);
  if (!file_.valid()) {
    // Whether the place can be written to was asked before: what fails now is the disk.
    const Hdf5Failure failure = LastHdf5Failure();
    throw Error(failure.is_io ? ErrorKind::kIo : ErrorKind::kCannotCreate,
                fmt::format("{}: cannot create: {}", path_, failure.cause));
  }
  const std::array<hsize_t, 2> shape = {static_cast<hsize_t>(options_.rows),
                                        static_cast<hsize_t>(options_.columns)};
  const std::array<hsize_t, 2> chunk = {static_cast<hsize_t>(chunk_rows_), shape[1]};
  // Files of equal content are equal byte for byte: no times inside.
  const Hdf5Handle properties(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  H5Pset_obj_track_times(properties.id(), false);
  H5Pset_chunk(properties.id(), 2, chunk.data());
  H5Pset_alloc_time(properties.id(), H5D_ALLOC_TIME_INCR);
  H5Pset_fill_time(properties.id(), H5D_FILL_TIME_NEVER);
  AddFilters(properties.id(), pipeline_->filters());
  const Hdf5Handle space(H5Screate_simple(2, shape.data(), nullptr), H5Sclose);
  const Hdf5Handle links(H5Pcreate(H5P_LINK_CREATE), H5Pclose);
  H5Pset_create_intermediate_group(links.id(), 1);
  dataset_ = Hdf5Handle(H5Dcreate2(file_.id(), options_.dataset.c_str(), Hdf5TypeOf(options_.type),
                                   space.id(), links.id(), properties.id(), H5P_DEFAULT),
                        H5Dclose);
  if (!dataset_.valid()) Fail(fmt::format("cannot create data set '{}'", options_.dataset));
}

Hdf5Writer::~Hdf5Writer() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!committed_) Abandon();
}

void Hdf5Writer::Abandon() {
  failed_ = true;
  dataset_.Abandon();
  file_.Abandon();
  // The library keeps the file open, so its space is only free once it has none.
  static_cast<void>(::truncate(temporary_.c_str(), 0) == 0);
  ::unlink(temporary_.c_str());
}

void Hdf5Writer::Fail(const std::string& doing) {
  const Hdf5Failure failure = LastHdf5Failure();
  Abandon();
  throw Error(ErrorKind::kIo, fmt::format("{}: {}: {}", path_, doing, failure.cause));
}

void Hdf5Writer::CheckNotFailed() const {
  if (failed_) throw Error(ErrorKind::kIo, path_ + ": an earlier write failed");
}

size_t Hdf5Writer::EncodingBytes() const {
  return pipeline_->ScratchBytes() + static_cast<size_t>(chunk_rows_) * row_bytes_;
}

void Hdf5Writer::EncodeChunk(std::span<const std::byte> rows, FilterScratch& scratch,
                             EncodedChunk& out) const {
  const size_t chunk_bytes = static_cast<size_t>(chunk_rows_) * row_bytes_;
  if (rows.size() == chunk_bytes) {
    out.filter_mask = pipeline_->Encode(rows, out.stored, scratch);
    return;
  }
  // The last chunk is stored whole, whatever lies beyond the rows.
  std::vector<std::byte> whole(chunk_bytes);
  std::ranges::copy(rows, whole.begin());
  out.filter_mask = pipeline_->Encode(whole, out.stored, scratch);
}

void Hdf5Writer::AppendChunk(const EncodedChunk& chunk) {
  CheckNotFailed();
  if (written_rows_ >= options_.rows) {
    throw Error(ErrorKind::kInternal, path_ + ": more rows written than announced");
  }
  const Hdf5Lock lock;
  const std::array<hsize_t, 2> start = {static_cast<hsize_t>(written_rows_), 0};
  if (H5Dwrite_chunk(dataset_.id(), H5P_DEFAULT, chunk.filter_mask, start.data(),
                     chunk.stored.size(), chunk.stored.data()) < 0) {
    Fail("cannot write");
  }
  written_rows_ = std::min(options_.rows, written_rows_ + chunk_rows_);
  unflushed_bytes_ += chunk.stored.size();
  if (unflushed_bytes_ >= kWritebackBytes) StartWriteback();
}

// Has the disk begin with what is written so far, so that less is left to flush in the end.
void Hdf5Writer::StartWriteback() {
  if (descriptor_ < 0) descriptor_ = ::open(temporary_.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ >= 0) {
    static_cast<void>(::sync_file_range(descriptor_, 0, 0, SYNC_FILE_RANGE_WRITE));
  }
  unflushed_bytes_ = 0;
}

void Hdf5Writer::AppendPending() {
  EncodeChunk(pending_, scratch_, encoded_);
  AppendChunk(encoded_);
  pending_.clear();
}

void Hdf5Writer::Append(std::span<const std::byte> rows) {
  CheckNotFailed();
  const size_t chunk_bytes = static_cast<size_t>(chunk_rows_) * row_bytes_;
  const size_t left = static_cast<size_t>(options_.rows - written_rows_) * row_bytes_;
  if (rows.size() % row_bytes_ != 0 || pending_.size() + rows.size() > left) {
    throw Error(ErrorKind::kInternal, path_ + ": rows written do not match the rows announced");
  }
  while (!rows.empty()) {
    if (pending_.empty() && rows.size() >= chunk_bytes) {
      EncodeChunk(rows.first(chunk_bytes), scratch_, encoded_);
      AppendChunk(encoded_);
      rows = rows.subspan(chunk_bytes);
      continue;
    }
    const size_t taken = std::min(rows.size(), chunk_bytes - pending_.size());
    pending_.insert(pending_.end(), rows.begin(), rows.begin() + static_cast<ptrdiff_t>(taken));
    rows = rows.subspan(taken);
    if (pending_.size() == chunk_bytes) AppendPending();
  }
  if (!pending_.empty() &&
      pending_.size() == static_cast<size_t>(options_.rows - written_rows_) * row_bytes_) {
    AppendPending();
  }
}

void Hdf5Writer::SetAttribute(const std::string& name, const std::string& value) {
  const Hdf5Lock lock;
  const Hdf5Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type.id(), std::max<size_t>(1, value.size()));
  H5Tset_cset(type.id(), H5T_CSET_UTF8);
  const Hdf5Handle space(H5Screate(H5S_SCALAR), H5Sclose);
  const Hdf5Handle attribute(
      H5Acreate2(dataset_.id(), name.c_str(), type.id(), space.id(), H5P_DEFAULT, H5P_DEFAULT),
      H5Aclose);
  if (!attribute.valid() || H5Awrite(attribute.id(), type.id(), value.c_str()) < 0) {
    Fail(fmt::format("cannot write attribute '{}'", name));
  }
}

void Hdf5Writer::Commit() {
  CheckNotFailed();
  if (written_rows_ != options_.rows) {
    throw Error(ErrorKind::kInternal, fmt::format("{}: {} rows announced, {} written", path_,
                                                  options_.rows, written_rows_));
  }
  {
    const Hdf5Lock lock;
    const bool dataset_closed = dataset_.Close();
    if (!dataset_closed || !file_.Close()) Fail("cannot finish writing");
  }
  Verify();
  PublishFile(temporary_, path_, options_.replace);
  committed_ = true;
}

// Looks at the finished file as a reader would: every chunk must be where the index says.
void Hdf5Writer::Verify() const {
  try {
    const DataSet written({.files = {temporary_.string()}, .dataset = options_.dataset});
    const Hdf5DataSetInfo& info = written.files().front();
    if (info.rows == options_.rows && info.columns == options_.columns &&
        info.element == options_.type && written.IsWhole()) {
      return;
    }
  } catch (const Error& error) {
    throw Error(ErrorKind::kIo, fmt::format("{}: was not written whole: {}", path_, error.what()));
  }
  throw Error(ErrorKind::kIo, fmt::format("{}: was not written whole", path_));
}

}  // namespace rhohat
