#include "data/hdf5_dataset.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "base/text.h"
#include "data/hdf5_catalog.h"
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
  DescribeDataSet(id, opened.file_.id(), opened.memory_type_.id(), converted, info);
  if (info.band_bytes > 0) {
    // The size of the cache can only be chosen while opening.
    opened.dataset_ = Hdf5Handle();
    opened.dataset_ = OpenDataSet(opened.file_.id(), info, info.band_bytes, follow_external);
  }
  return opened;
}

// The library holds about a kilobyte for each chunk that one call touches.
int64_t Hdf5DataSet::RowsAtOnce() const {
  constexpr int64_t kMostChunks = 4096;
  if (info_.chunk.empty()) return info_.rows;
  return std::max<int64_t>(1, kMostChunks / info_.ChunksInRow()) * info_.chunk[0];
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
  const ExpectedChunk expected(info_.pipeline.empty() ? 0 : info_.ChunkBytes());
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

}  // namespace rhohat
