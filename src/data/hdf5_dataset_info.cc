#include "data/hdf5_dataset_info.h"

#include <fmt/core.h>
#include <hdf5.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/units.h"
#include "data/chunk_grid.h"
#include "data/hdf5_filters.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

void ReadFileState(Hdf5DataSetInfo& info) {
  struct stat state = {};
  if (::stat(info.file.c_str(), &state) != 0) return;
  info.file_bytes = static_cast<uint64_t>(state.st_size);
  info.modified_nanoseconds = state.st_mtim.tv_sec * int64_t{1000000000} + state.st_mtim.tv_nsec;
}

void ReadShape(hid_t dataset, Hdf5DataSetInfo& info) {
  const Hdf5Handle space(H5Dget_space(dataset), H5Sclose);
  const int axes = H5Sget_simple_extent_ndims(space.id());
  if (axes < 2) {
    throw Error(ErrorKind::kBadData,
                fmt::format("{}: has {} {}; rows of columns need two or more", info.where(),
                            std::max(axes, 0), axes == 1 ? "axis" : "axes"));
  }
  std::vector<hsize_t> shape(static_cast<size_t>(axes));
  std::vector<hsize_t> longest(shape.size());
  H5Sget_simple_extent_dims(space.id(), shape.data(), longest.data());
  info.shape.assign(shape.begin(), shape.end());
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    if (shape[axis] <= longest[axis]) continue;  // no limit is the largest number
    throw Error(ErrorKind::kBadData,
                fmt::format("{}: is damaged: an axis is {} long, of {} at most", info.where(),
                            shape[axis], longest[axis]));
  }
  info.rows = info.shape[0];
  info.columns = 1;
  for (size_t axis = 1; axis < info.shape.size(); ++axis) {
    info.columns = CheckedProduct(info.columns, info.shape[axis], info.where());
  }
  CheckedProduct(CheckedProduct(info.rows, info.columns, info.where()), 8, info.where());
}

void ReadFilters(hid_t properties, Hdf5DataSetInfo& info) {
  RegisterFilters();
  for (const ListedFilter& listed : ListFilters(properties)) {
    if (listed.filter) {
      info.pipeline.push_back(*listed.filter);
      info.filters.push_back(FilterName(*listed.filter));
    } else if (listed.number == H5Z_FILTER_SZIP) {
      info.filters.emplace_back("szip");
      info.library_reason = "only the library decompresses szip";
    } else {
      throw Error(
          ErrorKind::kBadData,
          fmt::format("{}: is stored through filter {} ({}), which rhohat does not read: "
                      "h5repack, or h5py where it knows the filter, rewrites it with gzip",
                      info.where(), listed.number, listed.name.empty() ? "unnamed" : listed.name));
    }
    if (listed.number == H5Z_FILTER_SZIP && H5Zfilter_avail(H5Z_FILTER_SZIP) <= 0) {
      throw Error(ErrorKind::kBadData,
                  fmt::format("{}: is stored through szip, which this HDF5 library was built "
                              "without",
                              info.where()));
    }
  }
  unsigned options = 0;
  H5Pget_chunk_opts(properties, &options);
  info.edges_unfiltered = (options & H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS) != 0;
}

// The library refuses to write chunks that are longer than an axis can ever be, and comes to grief
// when it reads them.
void CheckChunk(hid_t dataset, const Hdf5DataSetInfo& info) {
  const Hdf5Handle space(H5Dget_space(dataset), H5Sclose);
  std::vector<hsize_t> longest(info.shape.size());
  H5Sget_simple_extent_dims(space.id(), nullptr, longest.data());
  for (size_t axis = 0; axis < longest.size(); ++axis) {
    const auto length = static_cast<hsize_t>(info.chunk[axis]);
    if (length == 0 || (longest[axis] != H5S_UNLIMITED && length > longest[axis])) {
      throw Error(ErrorKind::kBadData,
                  fmt::format("{}: is damaged: its chunks are {} long on an axis of {}",
                              info.where(), length, longest[axis]));
    }
  }
}

// The library reads zeros where a file that is cut short claims to end where it does.
void CheckRowsEnd(hid_t dataset, const Hdf5DataSetInfo& info) {
  const haddr_t offset = H5Dget_offset(dataset);
  if (offset == HADDR_UNDEF) return;  // never written
  // A link may have led into another file.
  const Hdf5Handle file(H5Iget_file_id(dataset), H5Fclose);
  hsize_t file_bytes = 0;
  H5Fget_filesize(file.id(), &file_bytes);
  if (offset <= file_bytes && info.stored_bytes <= file_bytes - offset) return;
  throw Error(ErrorKind::kBadData,
              fmt::format("{}: is cut short: {} bytes of rows begin at byte {} of a file of {}",
                          info.where(), info.stored_bytes, offset, file_bytes));
}

// What unwritten rows hold.
void ReadFillValue(hid_t properties, hid_t memory_type, Hdf5DataSetInfo& info) {
  info.fill_value.resize(ElementBytes(info.element));
  H5D_fill_value_t defined = H5D_FILL_VALUE_UNDEFINED;
  H5Pfill_value_defined(properties, &defined);
  if (defined != H5D_FILL_VALUE_UNDEFINED &&
      H5Pget_fill_value(properties, memory_type, info.fill_value.data()) < 0) {
    ThrowHdf5(info.where(), "cannot read its fill value");
  }
  H5D_fill_time_t when = H5D_FILL_TIME_IFSET;
  H5Pget_fill_time(properties, &when);
  info.leaves_unwritten = when == H5D_FILL_TIME_NEVER;
}

// An index of more chunks than this takes too much memory of its own.
constexpr int64_t kMostIndexedChunks = int64_t{1} << 22;

// Says why the rows cannot be read past the library, where that is so.
std::string ReasonForLibrary(hid_t properties, bool leads_out, bool converted,
                             const Hdf5DataSetInfo& info) {
  int64_t row_elements = 1;
  for (size_t axis = 1; axis < info.chunk.size(); ++axis) row_elements *= info.chunk[axis];
  const int64_t chunks_in_row = info.ChunksInRow();
  const int64_t bands = info.chunk.empty() ? 1 : info.ChunksAlong(0);
  if (info.layout == "virtual" || info.layout == "compact") {
    return fmt::format("its layout is {}", info.layout);
  }
  if (H5Pget_external_count(properties) > 0) return "its rows are in external storage";
  if (leads_out) return "it is reached through a link into another file";
  if (converted) return "only the library converts numbers of such a width";
  if (bands > kMostIndexedChunks / chunks_in_row) {
    return fmt::format("it has more than {} chunks", kMostIndexedChunks);
  }
  if (!info.chunk.empty() &&
      ChunkGrid::RunsInRow(info.shape, info.chunk) > static_cast<double>(kMostIndexedChunks)) {
    return "its chunks cut a row into millions of pieces";
  }
  if (info.filters.empty() && chunks_in_row * row_elements > 4 * info.columns) {
    return "its chunks are much wider than its rows";
  }
  return {};
}

std::string FileName(hid_t id) {
  std::string name(4096, '\0');
  H5Fget_name(id, name.data(), name.size());
  return name;
}

void ReadChunks(hid_t dataset, hid_t properties, Hdf5DataSetInfo& info) {
  ReadFilters(properties, info);
  std::vector<hsize_t> chunk(info.shape.size());
  if (H5Pget_chunk(properties, static_cast<int>(chunk.size()), chunk.data()) < 0) {
    ThrowHdf5(info.where(), "cannot read its chunk shape");
  }
  info.chunk.assign(chunk.begin(), chunk.end());
  CheckChunk(dataset, info);
  if (info.filters.empty()) return;  // the library reads the wanted part of a chunk directly
  auto band = static_cast<int64_t>(ElementBytes(info.element));
  for (size_t axis = 0; axis < info.chunk.size(); ++axis) {
    const int64_t chunks = axis == 0 ? 1 : info.ChunksAlong(axis);
    band =
        CheckedProduct(band, CheckedProduct(chunks, info.chunk[axis], info.where()), info.where());
  }
  info.band_bytes = static_cast<size_t>(band);
}

void ReadLayout(hid_t dataset, hid_t properties, Hdf5DataSetInfo& info) {
  const H5D_layout_t layout = H5Pget_layout(properties);
  info.layout = layout == H5D_CHUNKED   ? "chunked"
                : layout == H5D_COMPACT ? "compact"
                : layout == H5D_VIRTUAL ? "virtual"
                                        : "contiguous";
  if (layout == H5D_CONTIGUOUS && H5Pget_external_count(properties) == 0) {
    CheckRowsEnd(dataset, info);
  }
  if (layout == H5D_CHUNKED) ReadChunks(dataset, properties, info);
}

// The library's index of the chunks and its notes on those that a call touches. Beside the chunks
// that it keeps, it holds the one at hand twice, before and after its filters.
size_t ReaderBytes(const Hdf5DataSetInfo& info) {
  if (info.chunk.empty()) return 0;
  constexpr int64_t kMostCounted = int64_t{80} << 10;
  const int64_t chunks =
      std::min(info.ChunksAlong(0), kMostCounted) * std::min(info.ChunksInRow(), kMostCounted);
  return (static_cast<size_t>(std::min(chunks, kMostCounted)) << 10) + 3 * info.band_bytes;
}

}  // namespace

void DescribeDataSet(Hdf5Id dataset, Hdf5Id file, Hdf5Id memory_type, bool converted,
                     Hdf5DataSetInfo& info) {
  ReadShape(dataset, info);
  ReadFileState(info);
  info.stored_bytes = H5Dget_storage_size(dataset);
  const Hdf5Handle properties(H5Dget_create_plist(dataset), H5Pclose);
  ReadLayout(dataset, properties.id(), info);
  info.reader_bytes = ReaderBytes(info);
  if (info.rows == 0 || info.columns == 0) return;
  if (info.library_reason.empty()) {
    const bool leads_out = FileName(dataset) != FileName(file);
    info.library_reason = ReasonForLibrary(properties.id(), leads_out, converted, info);
  }
  ReadFillValue(properties.id(), memory_type, info);
  const haddr_t offset = info.layout == "contiguous" ? H5Dget_offset(dataset) : HADDR_UNDEF;
  if (offset != HADDR_UNDEF) info.contiguous_offset = offset;
}

int64_t Hdf5DataSetInfo::ChunksAlong(size_t axis) const {
  return (shape[axis] + chunk[axis] - 1) / chunk[axis];
}

int64_t Hdf5DataSetInfo::ChunksInRow() const {
  int64_t chunks = 1;
  for (size_t axis = 1; axis < chunk.size(); ++axis) chunks *= ChunksAlong(axis);
  return chunks;
}

size_t Hdf5DataSetInfo::ChunkBytes() const {
  size_t bytes = ElementBytes(element);
  for (const int64_t length : chunk) bytes *= static_cast<size_t>(length);
  return bytes;
}

}  // namespace rhohat
