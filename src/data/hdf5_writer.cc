#include "data/hdf5_writer.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/atomic_file.h"
#include "base/units.h"
#include "data/hdf5_dataset.h"
#include "data/hdf5_type.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

constexpr int64_t kChunkBytes = int64_t{1} << 20;

int64_t ChunkRows(const Hdf5WriterOptions& options, int64_t row_bytes) {
  // A chunk's size is a 32-bit number in this version of the format.
  const int64_t most = std::max<int64_t>(1, ((int64_t{1} << 32) - 1) / row_bytes);
  const int64_t wanted =
      options.chunk_rows > 0 ? options.chunk_rows : std::max<int64_t>(1, kChunkBytes / row_bytes);
  return std::min({wanted, most, std::max<int64_t>(1, options.rows)});
}

}  // namespace

Hdf5Writer::Hdf5Writer(const std::string& path, const Hdf5WriterOptions& options)
    : path_(FollowLinks(path)), temporary_(TemporaryNameFor(path_)), options_(options) {
  CheckCreatable(path);
  const Hdf5Lock lock;
  const int64_t row_bytes =
      CheckedProduct(options.columns, static_cast<int64_t>(ElementBytes(options.type)), path);
  CheckedProduct(options.rows, row_bytes, path);
  const auto columns = static_cast<hsize_t>(options.columns);
  const std::array<hsize_t, 2> shape = {static_cast<hsize_t>(options.rows), columns};
  const std::array<hsize_t, 2> chunk = {static_cast<hsize_t>(ChunkRows(options, row_bytes)),
                                        columns};
  // Files of equal content are equal byte for byte: no times inside.
  const Hdf5Handle properties(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  H5Pset_obj_track_times(properties.id(), false);
  H5Pset_chunk(properties.id(), 2, chunk.data());
  H5Pset_alloc_time(properties.id(), H5D_ALLOC_TIME_INCR);
  H5Pset_fill_time(properties.id(), H5D_FILL_TIME_NEVER);
  if (options.checksum) H5Pset_fletcher32(properties.id());
  const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_file_locking(access.id(), false, true);
  // One chunk is all that is ever unfinished.
  const Hdf5Handle dataset_access(H5Pcreate(H5P_DATASET_ACCESS), H5Pclose);
  H5Pset_chunk_cache(dataset_access.id(), 521, 2 * chunk[0] * static_cast<size_t>(row_bytes), 1.0);

  file_ =
      Hdf5Handle(H5Fcreate(temporary_.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access.id()), H5Fclose);
  if (!file_.valid()) {
    // Whether the place can be written to was asked before: what fails now is the disk.
    const Hdf5Failure failure = LastHdf5Failure();
    ::unlink(temporary_.c_str());
    throw Error(failure.is_io ? ErrorKind::kIo : ErrorKind::kCannotCreate,
                fmt::format("{}: cannot create: {}", path_, failure.cause));
  }
  const Hdf5Handle space(H5Screate_simple(2, shape.data(), nullptr), H5Sclose);
  const Hdf5Handle links(H5Pcreate(H5P_LINK_CREATE), H5Pclose);
  H5Pset_create_intermediate_group(links.id(), 1);
  dataset_ = Hdf5Handle(H5Dcreate2(file_.id(), options.dataset.c_str(), Hdf5TypeOf(options.type),
                                   space.id(), links.id(), properties.id(), dataset_access.id()),
                        H5Dclose);
  if (!dataset_.valid()) Fail(fmt::format("cannot create data set '{}'", options.dataset));
}

Hdf5Writer::~Hdf5Writer() {
  if (committed_) return;
  dataset_.Close();
  file_.Close();
  ::unlink(temporary_.c_str());
}

void Hdf5Writer::Fail(const std::string& doing) {
  const Hdf5Failure failure = LastHdf5Failure();
  failed_ = true;
  dataset_.Abandon();
  file_.Abandon();
  // The library keeps the file open, so its space is only free once it has none.
  static_cast<void>(::truncate(temporary_.c_str(), 0) == 0);
  ::unlink(temporary_.c_str());
  throw Error(ErrorKind::kIo, fmt::format("{}: {}: {}", path_, doing, failure.cause));
}

void Hdf5Writer::Append(std::span<const std::byte> rows) {
  if (failed_) throw Error(ErrorKind::kIo, path_ + ": an earlier write failed");
  const Hdf5Lock lock;
  const size_t row_bytes = static_cast<size_t>(options_.columns) * ElementBytes(options_.type);
  const std::array<hsize_t, 2> start = {static_cast<hsize_t>(written_rows_), 0};
  const std::array<hsize_t, 2> count = {rows.size() / row_bytes,
                                        static_cast<hsize_t>(options_.columns)};
  if (count[0] * row_bytes != rows.size() ||
      written_rows_ + static_cast<int64_t>(count[0]) > options_.rows) {
    throw Error(ErrorKind::kInternal, path_ + ": rows written do not match the rows announced");
  }
  const Hdf5Handle file_space(H5Dget_space(dataset_.id()), H5Sclose);
  const Hdf5Handle memory_space(H5Screate_simple(2, count.data(), nullptr), H5Sclose);
  if (H5Sselect_hyperslab(file_space.id(), H5S_SELECT_SET, start.data(), nullptr, count.data(),
                          nullptr) < 0 ||
      H5Dwrite(dataset_.id(), Hdf5TypeOf(options_.type), memory_space.id(), file_space.id(),
               H5P_DEFAULT, rows.data()) < 0) {
    Fail("cannot write");
  }
  written_rows_ += static_cast<int64_t>(count[0]);
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
  if (failed_) throw Error(ErrorKind::kIo, path_ + ": an earlier write failed");
  if (written_rows_ != options_.rows) {
    throw Error(ErrorKind::kInternal, fmt::format("{}: {} rows announced, {} written", path_,
                                                  options_.rows, written_rows_));
  }
  const Hdf5Lock lock;
  const bool dataset_closed = dataset_.Close();
  if (!dataset_closed || !file_.Close()) Fail("cannot finish writing");
  Verify();
  PublishFile(temporary_, path_);
  committed_ = true;
}

// Looks at the finished file as a reader would.
void Hdf5Writer::Verify() const {
  try {
    const Hdf5DataSetInfo info =
        Hdf5DataSet::Open(temporary_.string(), options_.dataset, false).info();
    const uint64_t least = static_cast<uint64_t>(options_.rows) *
                           static_cast<uint64_t>(options_.columns) * ElementBytes(options_.type);
    if (info.rows == options_.rows && info.columns == options_.columns &&
        info.element == options_.type && info.file_bytes >= least) {
      return;
    }
  } catch (const Error& error) {
    throw Error(ErrorKind::kIo, fmt::format("{}: was not written whole: {}", path_, error.what()));
  }
  throw Error(ErrorKind::kIo, fmt::format("{}: was not written whole", path_));
}

}  // namespace rhohat
