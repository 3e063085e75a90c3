#include "data/hdf5_open.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <vector>

#include "base/atomic_file.h"
#include "base/text.h"
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

// One of a virtual mapping's names, which the library hands out with their length first.
std::string VirtualName(NameGetter get, hid_t properties, size_t index) {
  const ssize_t length = get(properties, index, nullptr, 0);
  if (length <= 0) return "";
  std::string name(static_cast<size_t>(length) + 1, '\0');
  get(properties, index, name.data(), name.size());
  name.resize(static_cast<size_t>(length));
  return name;
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
  const Hdf5Handle opened(source_file == "." ? H5Fopen(file.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT)
                                             : H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT),
                          H5Fclose);
  if (!opened.valid() ||
      !Hdf5Handle(H5Dopen2(opened.id(), source_dataset.c_str(), H5P_DEFAULT), H5Dclose).valid()) {
    H5Eclear2(H5E_DEFAULT);
    throw Error(ErrorKind::kNoInput,
                fmt::format("{}: a source of this virtual data set is missing: {}:{}", where,
                            source_file, source_dataset));
  }
}

void CheckVirtual(hid_t properties, const std::string& file, const std::string& where,
                  bool follow_external) {
  size_t count = 0;
  if (H5Pget_virtual_count(properties, &count) < 0) ThrowHdf5(where, "cannot read its sources");
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
  }
}

void CheckExternalStorage(hid_t properties, unsigned index, const std::string& where) {
  std::string name(4096, '\0');
  off_t offset = 0;
  hsize_t size = 0;
  if (H5Pget_external(properties, index, name.size(), name.data(), &offset, &size) < 0) {
    ThrowHdf5(where, "cannot read the names of its external files");
  }
  name.resize(name.find('\0'));
  if (!std::filesystem::exists(name)) {
    throw Error(
        ErrorKind::kNoInput,
        fmt::format("{}: an external file that holds its rows is missing: {}", where, name));
  }
}

}  // namespace

Hdf5Handle OpenHdf5File(const std::string& file) {
  CheckReadable(file);
  const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_file_locking(access.id(), false, true);
  Hdf5Handle opened(H5Fopen(file.c_str(), H5F_ACC_RDONLY, access.id()), H5Fclose);
  if (opened.valid()) return opened;
  const Hdf5Failure failure = LastHdf5Failure();
  if (failure.cause.find("signature") != std::string::npos) {
    throw Error(
        ErrorKind::kBadData,
        fmt::format("{}: is not an HDF5 file ('rhohat convert' makes one from other formats)",
                    file));
  }
  if (failure.cause.find("lock file") != std::string::npos) {
    throw Error(ErrorKind::kIo,
                fmt::format("{}: cannot lock the file ({}): set HDF5_USE_FILE_LOCKING=FALSE", file,
                            failure.cause));
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
