#include "data/hdf5_open.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <set>

#include "base/atomic_file.h"
#include "base/text.h"
#include "data/hdf5_read_driver.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

void CheckReadable(const std::string& file) {
  CheckIsFile(file);
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  const int code = errno;
  if (descriptor < 0) {
    throw Error(ErrorKind::kNoInput, fmt::format("{}: cannot open: {}", file, ErrnoText(code)));
  }
  ::close(descriptor);
}

using NameGetter = ssize_t (*)(hid_t, size_t, char*, size_t);

// Opening anything else, such as a pipe, might wait for ever.
bool IsFile(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored);
}

// One of a virtual mapping's names, which the library hands out with their length first.
std::string VirtualName(NameGetter get, hid_t properties, size_t index) {
  const ssize_t length = get(properties, index, nullptr, 0);
  if (length <= 0) return "";
  std::string name(static_cast<size_t>(length) + 1, '\0');
  get(properties, index, name.data(), name.size());
  name.resize(static_cast<size_t>(length));
  return name;
}

herr_t RefuseLink(const char* /*parent_file*/, const char* /*parent_group*/,
                  const char* /*child_file*/, const char* /*child_object*/, unsigned* /*access*/,
                  hid_t /*file_access*/, void* /*data*/) {
  return -1;
}

void CheckVirtualSource(const std::string& source_file, const std::string& source_dataset,
                        const std::string& file, const std::string& where) {
  namespace fs = std::filesystem;
  if (source_file.find('%') != std::string::npos || source_dataset.find('%') != std::string::npos) {
    throw Error(
        ErrorKind::kBadData,
        fmt::format("{}: its virtual sources are a pattern ('{}'), so a missing one cannot be "
                    "told from zeros: list the files instead",
                    where, source_file));
  }
  fs::path path = source_file;
  if (path.is_relative() && !fs::exists(path)) path = fs::path(file).parent_path() / path;
  if (source_file == ".") path = file;
  const Hdf5Handle access = ReadAccess();
  const Hdf5Handle opened(IsFile(path) ? H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.id()) : -1,
                          H5Fclose);
  const Hdf5Handle no_links(H5Pcreate(H5P_DATASET_ACCESS), H5Pclose);
  H5Pset_elink_cb(no_links.id(), RefuseLink, nullptr);
  const Hdf5Handle source(
      opened.valid() ? H5Dopen2(opened.id(), source_dataset.c_str(), no_links.id()) : -1, H5Dclose);
  if (!source.valid()) {
    H5Eclear2(H5E_DEFAULT);
    throw Error(ErrorKind::kNoInput,
                fmt::format("{}: a source of this virtual data set is missing: {}:{}", where,
                            source_file, source_dataset));
  }
  // What such a source leads to could be missing in turn, and would read as zeros.
  const Hdf5Handle properties(H5Dget_create_plist(source.id()), H5Pclose);
  if (H5Pget_layout(properties.id()) == H5D_VIRTUAL || H5Pget_external_count(properties.id()) > 0) {
    throw Error(ErrorKind::kBadData,
                fmt::format("{}: a source of this virtual data set keeps its rows elsewhere in "
                            "turn: {}:{}: list the files that hold them instead",
                            where, source_file, source_dataset));
  }
}

// The library keeps every source open while it reads, and takes one that it cannot open for zeros.
void CheckDescriptors(const std::set<std::string>& files, const std::string& where) {
  rlimit limit = {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || files.size() + 64 <= limit.rlim_cur) return;
  throw Error(
      ErrorKind::kBadData,
      fmt::format("{}: its rows are in {} files, but only {} may be open (ulimit -n): raise "
                  "the limit, or list the files instead",
                  where, files.size(), limit.rlim_cur));
}

void CheckVirtual(hid_t properties, const std::string& file, const std::string& where,
                  bool follow_external) {
  size_t count = 0;
  if (H5Pget_virtual_count(properties, &count) < 0) ThrowHdf5(where, "cannot read its sources");
  std::set<std::string> files;
  for (size_t i = 0; i < count; ++i) {
    const std::string source_file = VirtualName(H5Pget_virtual_filename, properties, i);
    const std::string source_dataset = VirtualName(H5Pget_virtual_dsetname, properties, i);
    if (source_file != "." && !follow_external) {
      throw Error(ErrorKind::kBadData,
                  fmt::format("{}: is a virtual data set with rows in another file ('{}'): pass "
                              "--follow-external to allow it",
                              where, source_file));
    }
    CheckVirtualSource(source_file, source_dataset, file, where);
    files.insert(source_file);
  }
  CheckDescriptors(files, where);
}

void CheckExternalStorage(hid_t properties, unsigned index, const std::string& where) {
  std::string name(4096, '\0');
  off_t offset = 0;
  hsize_t size = 0;
  if (H5Pget_external(properties, index, name.size(), name.data(), &offset, &size) < 0) {
    ThrowHdf5(where, "cannot read the names of its external files");
  }
  name.resize(std::min(name.size(), name.find('\0')));
  if (!IsFile(name)) {
    throw Error(
        ErrorKind::kNoInput,
        fmt::format("{}: an external file that holds its rows is missing: {}", where, name));
  }
  if (size != H5F_UNLIMITED &&
      std::filesystem::file_size(name) < static_cast<uint64_t>(offset) + size) {
    throw Error(
        ErrorKind::kBadData,
        fmt::format("{}: an external file that holds its rows is too short: {}", where, name));
  }
}

}  // namespace

Hdf5Handle OpenHdf5File(const std::string& file) {
  CheckReadable(file);
  const Hdf5Handle access = ReadAccess();
  Hdf5Handle opened(H5Fopen(file.c_str(), H5F_ACC_RDONLY, access.id()), H5Fclose);
  if (opened.valid()) return opened;
  const Hdf5Failure failure = LastHdf5Failure();
  constexpr uintmax_t kSignatureBytes = 8;
  std::error_code ignored;
  if (failure.cause.find("signature") != std::string::npos ||
      std::filesystem::file_size(file, ignored) < kSignatureBytes) {
    throw Error(
        ErrorKind::kBadData,
        fmt::format("{}: is not an HDF5 file ('rhohat convert' makes one from other formats)",
                    file));
  }
  throw Error(failure.is_io ? ErrorKind::kIo : ErrorKind::kBadData,
              fmt::format("{}: cannot open: {}", file, failure.cause));
}

void CheckStaysInFile(hid_t id, const std::string& file, const std::string& where,
                      bool follow_external) {
  const Hdf5Handle properties(H5Dget_create_plist(id), H5Pclose);
  if (H5Pget_layout(properties.id()) == H5D_VIRTUAL) {
    CheckVirtual(properties.id(), file, where, follow_external);
  }
  const int external_files = H5Pget_external_count(properties.id());
  for (int i = 0; follow_external && i < external_files; ++i) {
    CheckExternalStorage(properties.id(), static_cast<unsigned>(i), where);
  }
  if (!follow_external && external_files > 0) {
    throw Error(ErrorKind::kBadData,
                fmt::format("{}: keeps its rows in external storage, outside the file: pass "
                            "--follow-external to allow it",
                            where));
  }
}

}  // namespace rhohat
