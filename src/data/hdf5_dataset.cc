#include "data/hdf5_dataset.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "base/text.h"
#include "base/units.h"
#include "data/chunk_grid.h"
#include "data/hdf5_filters.h"
#include "data/hdf5_open.h"
#include "data/hdf5_type.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

// Asked by the library before it follows a path into another file.
struct ExternalLink {
  bool allowed = false;
  bool refused = false;
  std::string file;
};

herr_t MeetExternalLink(const char* parent_file, const char* /*parent_group*/,
                        const char* child_file, const char* /*child_object*/, unsigned* /*access*/,
                        hid_t /*file_access*/, void* data) {
  namespace fs = std::filesystem;
  auto* link = static_cast<ExternalLink*>(data);
  // Opening a pipe would wait for its writer.
  const auto is_strange = [](const fs::path& path) {
    std::error_code ignored;
    const fs::file_status status = fs::status(path, ignored);
    return fs::exists(status) && !fs::is_regular_file(status) && !fs::is_directory(status);
  };
  const bool strange =
      is_strange(child_file) || is_strange(fs::path(parent_file).parent_path() / child_file);
  if (link->allowed && !strange) return 0;
  link->refused = true;
  link->file = child_file;
  return -1;
}

[[noreturn]] void ThrowRefused(const Hdf5DataSetInfo& info, const ExternalLink& link) {
  H5Eclear2(H5E_DEFAULT);
  throw Error(ErrorKind::kBadData,
              fmt::format("{}: is a link into another file ('{}'){}", info.where(), link.file,
                          link.allowed ? ", which is no file but a pipe or a device"
                                       : ": pass --follow-external to allow it"));
}

Hdf5Handle OpenDataSet(hid_t file, const Hdf5DataSetInfo& info, size_t cache_bytes,
                       bool follow_external) {
  const Hdf5Handle access(H5Pcreate(H5P_DATASET_ACCESS), H5Pclose);
  // A prime number of slots, far more than chunks that are ever held; read chunks leave first.
  H5Pset_chunk_cache(access.id(), 10007, cache_bytes, 1.0);
  ExternalLink link{.allowed = follow_external};
  H5Pset_elink_cb(access.id(), MeetExternalLink, &link);
  Hdf5Handle opened(H5Dopen2(file, info.dataset.c_str(), access.id()), H5Dclose);
  if (opened.valid()) return opened;
  if (link.refused) ThrowRefused(info, link);
  ThrowHdf5(info.where(), "cannot open");
}

// The data set to use where none was named: the only one with rows.
std::string OnlyDataSet(const std::string& file, bool follow_external) {
  std::vector<std::string> with_rows;
  std::vector<std::string> all;
  bool leads_out = false;
  for (const Hdf5CatalogEntry& entry : ListDataSets(file)) {
    if (entry.has_rows || (entry.is_external && follow_external)) with_rows.push_back(entry.path);
    leads_out |= entry.is_external && !follow_external;
    all.push_back(entry.description);
  }
  if (with_rows.size() == 1) return with_rows.front();
  if (with_rows.empty()) {
    throw Error(ErrorKind::kBadData,
                fmt::format("{}: holds no data set of numbers on two axes or more{}{}", file,
                            all.empty() ? "" : ", only ", JoinNames(all)) +
                    (leads_out ? "; pass --follow-external to allow other files" : ""));
  }
  throw Error(ErrorKind::kUsage, fmt::format("{}: holds several data sets: choose one with "
                                             "--dataset, or --array where it is converted: {}",
                                             file, JoinNames(with_rows)));
}

// Throws where no link named `info.dataset` exists, listing the names that do.
void CheckExists(hid_t file, const Hdf5DataSetInfo& info, bool follow_external) {
  const Hdf5Handle access(H5Pcreate(H5P_LINK_ACCESS), H5Pclose);
  ExternalLink link{.allowed = follow_external};
  H5Pset_elink_cb(access.id(), MeetExternalLink, &link);
  std::string prefix;
  for (const std::string& name : Split(info.dataset, '/')) {
    if (name.empty()) continue;
    prefix += "/" + name;
    const htri_t exists = H5Lexists(file, prefix.c_str(), access.id());
    if (exists > 0) continue;
    if (link.refused) ThrowRefused(info, link);
    H5Eclear2(H5E_DEFAULT);
    std::vector<std::string> names;
    for (const Hdf5CatalogEntry& entry : ListDataSets(info.file)) names.push_back(entry.path);
    throw Error(
        ErrorKind::kNoInput,
        fmt::format("{}: there is no data set {}; there {} {}", info.file, info.dataset,
                    names.size() == 1 ? "is" : "are", names.empty() ? "none" : JoinNames(names)));
  }
}

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

int64_t ChunksInARow(const Hdf5DataSetInfo& info) {
  int64_t chunks = 1;
  for (size_t axis = 1; axis < info.chunk.size(); ++axis) {
    chunks *= (info.shape[axis] + info.chunk[axis] - 1) / info.chunk[axis];
  }
  return chunks;
}

size_t ChunkBytes(const Hdf5DataSetInfo& info) {
  size_t bytes = ElementBytes(info.element);
  for (const int64_t length : info.chunk) bytes *= static_cast<size_t>(length);
  return bytes;
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
void FindReasonForLibrary(hid_t dataset, hid_t file, bool converted, Hdf5DataSetInfo& info) {
  const Hdf5Handle properties(H5Dget_create_plist(dataset), H5Pclose);
  const auto file_name = [](hid_t id) {
    std::string name(4096, '\0');
    H5Fget_name(id, name.data(), name.size());
    return name;
  };
  int64_t row_elements = 1;
  for (size_t axis = 1; axis < info.chunk.size(); ++axis) row_elements *= info.chunk[axis];
  const int64_t chunks_in_row = info.chunk.empty() ? 1 : ChunksInARow(info);
  const int64_t bands = info.chunk.empty() ? 1 : (info.rows + info.chunk[0] - 1) / info.chunk[0];
  if (info.layout == "virtual" || info.layout == "compact") {
    info.library_reason = fmt::format("its layout is {}", info.layout);
  } else if (H5Pget_external_count(properties.id()) > 0) {
    info.library_reason = "its rows are in external storage";
  } else if (file_name(dataset) != file_name(file)) {
    info.library_reason = "it is reached through a link into another file";
  } else if (converted) {
    info.library_reason = "only the library converts numbers of such a width";
  } else if (bands > kMostIndexedChunks / chunks_in_row) {
    info.library_reason = fmt::format("it has more than {} chunks", kMostIndexedChunks);
  } else if (!info.chunk.empty() && ChunkGrid::RunsInRow(info.shape, info.chunk) >
                                        static_cast<double>(kMostIndexedChunks)) {
    info.library_reason = "its chunks cut a row into millions of pieces";
  } else if (info.filters.empty() && chunks_in_row * row_elements > 4 * info.columns) {
    info.library_reason = "its chunks are much wider than its rows";
  }
}

// Bytes of all chunks that hold one row. A range of rows that begins inside a chunk finds it
// decompressed already if that many bytes are kept.
size_t ReadLayout(hid_t dataset, Hdf5DataSetInfo& info) {
  const Hdf5Handle properties(H5Dget_create_plist(dataset), H5Pclose);
  const H5D_layout_t layout = H5Pget_layout(properties.id());
  info.layout = layout == H5D_CHUNKED   ? "chunked"
                : layout == H5D_COMPACT ? "compact"
                : layout == H5D_VIRTUAL ? "virtual"
                                        : "contiguous";
  if (layout == H5D_CONTIGUOUS && H5Pget_external_count(properties.id()) == 0) {
    CheckRowsEnd(dataset, info);
  }
  if (layout != H5D_CHUNKED) return 0;
  ReadFilters(properties.id(), info);
  std::vector<hsize_t> chunk(info.shape.size());
  if (H5Pget_chunk(properties.id(), static_cast<int>(chunk.size()), chunk.data()) < 0) {
    ThrowHdf5(info.where(), "cannot read its chunk shape");
  }
  info.chunk.assign(chunk.begin(), chunk.end());
  CheckChunk(dataset, info);
  if (info.filters.empty()) return 0;  // the library reads the wanted part of a chunk directly
  int64_t band = static_cast<int64_t>(ElementBytes(info.element));
  for (size_t axis = 0; axis < chunk.size(); ++axis) {
    const int64_t length = info.chunk[axis];
    const int64_t chunks = axis == 0 ? 1 : (info.shape[axis] + length - 1) / length;
    band = CheckedProduct(band, CheckedProduct(chunks, length, info.where()), info.where());
  }
  return static_cast<size_t>(band);
}

}  // namespace

Hdf5DataSet Hdf5DataSet::Open(const std::string& file, const std::string& dataset,
                              bool follow_external) {
  const Hdf5Lock lock;
  Hdf5DataSet opened;
  Hdf5DataSetInfo& info = opened.info_;
  info.file = file;
  opened.file_ = OpenHdf5File(file);
  info.dataset = dataset.empty() ? OnlyDataSet(file, follow_external) : dataset;
  if (!info.dataset.starts_with("/")) info.dataset.insert(0, "/");
  CheckExists(opened.file_.id(), info, follow_external);

  opened.dataset_ = OpenDataSet(opened.file_.id(), info, 0, follow_external);
  const hid_t id = opened.dataset_.id();
  CheckStaysInFile(id, file, info.where(), follow_external);
  const Hdf5Handle stored_type(H5Dget_type(id), H5Tclose);
  MemoryType memory = MemoryTypeOf(stored_type.id(), info.where());
  info.element = memory.element;
  const bool converted = H5Tequal(memory.hdf5.id(), stored_type.id()) <= 0;
  opened.memory_type_ = std::move(memory.hdf5);
  ReadShape(id, info);
  ReadFileState(info);
  info.stored_bytes = H5Dget_storage_size(id);
  const size_t band_bytes = ReadLayout(id, info);
  if (info.rows > 0 && info.columns > 0) {
    if (info.library_reason.empty()) {
      FindReasonForLibrary(id, opened.file_.id(), converted, info);
    }
    const Hdf5Handle properties(H5Dget_create_plist(id), H5Pclose);
    ReadFillValue(properties.id(), opened.memory_type_.id(), info);
    const haddr_t offset = info.layout == "contiguous" ? H5Dget_offset(id) : HADDR_UNDEF;
    if (offset != HADDR_UNDEF) info.contiguous_offset = offset;
  }
  if (!info.chunk.empty()) {
    // The library's index of the chunks and its notes on those that a call touches.
    constexpr int64_t kMostCounted = int64_t{80} << 10;
    const int64_t bands = (info.rows + info.chunk[0] - 1) / info.chunk[0];
    const int64_t chunks =
        std::min(bands, kMostCounted) * std::min(ChunksInARow(info), kMostCounted);
    info.reader_bytes = static_cast<size_t>(std::min(chunks, kMostCounted)) << 10;
  }
  if (band_bytes > 0) {
    // The size of the cache can only be chosen while opening. Beside it, the library holds the
    // chunk at hand twice, before and after its filters.
    opened.dataset_ = Hdf5Handle();
    opened.dataset_ = OpenDataSet(opened.file_.id(), info, band_bytes, follow_external);
    info.reader_bytes += 3 * band_bytes;
  }
  return opened;
}

// The library holds about a kilobyte for each chunk that one call touches.
int64_t Hdf5DataSet::RowsAtOnce() const {
  constexpr int64_t kMostChunks = 4096;
  if (info_.chunk.empty()) return info_.rows;
  return std::max<int64_t>(1, kMostChunks / ChunksInARow(info_)) * info_.chunk[0];
}

void Hdf5DataSet::Read(RowRange range, std::byte* out) const {
  const int64_t at_once = RowsAtOnce();
  const size_t row_bytes = static_cast<size_t>(info_.columns) * ElementBytes(info_.element);
  for (int64_t row = range.begin; row < range.end;) {
    const int64_t end = std::min(range.end, row + std::min(at_once, range.end - row));
    ReadOnce({row, end}, out + static_cast<size_t>(row - range.begin) * row_bytes);
    row = end;
  }
}

void Hdf5DataSet::ReadOnce(RowRange range, std::byte* out) const {
  const Hdf5Lock lock;
  const size_t axes = info_.shape.size();
  std::vector<hsize_t> start(axes, 0);
  std::vector<hsize_t> count(info_.shape.begin(), info_.shape.end());
  start[0] = static_cast<hsize_t>(range.begin);
  count[0] = static_cast<hsize_t>(range.size());
  const Hdf5Handle file_space(H5Dget_space(dataset_.id()), H5Sclose);
  const Hdf5Handle memory_space(H5Screate_simple(static_cast<int>(axes), count.data(), nullptr),
                                H5Sclose);
  const ExpectedChunk expected(info_.pipeline.empty() ? 0 : ChunkBytes(info_));
  if (info_.leaves_unwritten) {
    H5Dfill(info_.fill_value.data(), memory_type_.id(), out, memory_type_.id(), memory_space.id());
  }
  if (H5Sselect_hyperslab(file_space.id(), H5S_SELECT_SET, start.data(), nullptr, count.data(),
                          nullptr) < 0 ||
      H5Dread(dataset_.id(), memory_type_.id(), memory_space.id(), file_space.id(), H5P_DEFAULT,
              out) < 0) {
    ThrowHdf5(info_.where(), fmt::format("cannot read rows {} to {}", range.begin, range.end - 1));
  }
}

namespace {

struct CatalogVisit {
  std::vector<Hdf5CatalogEntry> entries;
};

std::string ShapeText(hid_t space) {
  const int axes = H5Sget_simple_extent_ndims(space);
  if (axes <= 0) return "one value";
  std::vector<hsize_t> shape(static_cast<size_t>(axes));
  H5Sget_simple_extent_dims(space, shape.data(), nullptr);
  std::string text;
  for (const hsize_t length : shape) text += (text.empty() ? "" : "×") + std::to_string(length);
  return text;
}

Hdf5CatalogEntry DescribeDataSet(hid_t dataset, const std::string& path) {
  const Hdf5Handle space(H5Dget_space(dataset), H5Sclose);
  const Hdf5Handle type(H5Dget_type(dataset), H5Tclose);
  Hdf5CatalogEntry entry{.path = path, .description = path + ": " + ShapeText(space.id())};
  try {
    const MemoryType memory = MemoryTypeOf(type.id(), path);
    entry.description += " " + ElementName(memory.element);
    entry.has_rows = H5Sget_simple_extent_ndims(space.id()) >= 2;
  } catch (const Error&) {
    entry.description += " of no numbers";  // not an error: there is just nothing here to train on
  }
  return entry;
}

herr_t VisitObject(hid_t root, const char* name, const H5O_info_t* object, void* data) {
  if (object->type != H5O_TYPE_DATASET) return 0;
  const Hdf5Handle dataset(H5Dopen2(root, name, H5P_DEFAULT), H5Dclose);
  if (!dataset.valid()) return 0;
  static_cast<CatalogVisit*>(data)->entries.push_back(
      DescribeDataSet(dataset.id(), std::string("/") + name));
  return 0;
}

herr_t VisitLink(hid_t root, const char* name, const H5L_info_t* link, void* data) {
  if (link->type != H5L_TYPE_EXTERNAL) return 0;
  std::vector<char> value(link->u.val_size);
  const char* file = nullptr;
  if (H5Lget_val(root, name, value.data(), value.size(), H5P_DEFAULT) < 0 ||
      H5Lunpack_elink_val(value.data(), value.size(), nullptr, &file, nullptr) < 0) {
    return 0;
  }
  const std::string path = std::string("/") + name;
  static_cast<CatalogVisit*>(data)->entries.push_back(
      {.path = path,
       .description = fmt::format("{}: a link into another file ('{}')", path, file),
       .is_external = true});
  return 0;
}

}  // namespace

std::vector<Hdf5CatalogEntry> ListDataSets(const std::string& file) {
  const Hdf5Lock lock;
  const Hdf5Handle opened = OpenHdf5File(file);
  CatalogVisit visit;
  if (H5Ovisit2(opened.id(), H5_INDEX_NAME, H5_ITER_INC, VisitObject, &visit, H5O_INFO_BASIC) < 0 ||
      H5Lvisit(opened.id(), H5_INDEX_NAME, H5_ITER_INC, VisitLink, &visit) < 0) {
    ThrowHdf5(file, "cannot list its data sets");
  }
  return std::move(visit.entries);
}

}  // namespace rhohat
