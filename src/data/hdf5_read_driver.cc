#include "data/hdf5_read_driver.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

#include "base/text.h"

namespace rhohat {
namespace {

// The library sees its first member only.
struct ReadFile {
  H5FD_t library;
  int descriptor;
  haddr_t end_of_allocation;
  haddr_t end_of_file;
  dev_t device;
  ino_t number;
  RawRead* raw_read;
};

struct DriverInfo {
  RawRead* raw_read;
};

ReadFile* Ours(H5FD_t* file) { return reinterpret_cast<ReadFile*>(file); }
const ReadFile* Ours(const H5FD_t* file) { return reinterpret_cast<const ReadFile*>(file); }

// In the words of the library's own driver, which LastHdf5Failure() knows.
void Report(const char* what, int code) {
  H5Epush2(H5E_DEFAULT, __FILE__, __func__, __LINE__, H5E_ERR_CLS, H5E_IO, H5E_READERROR,
           "%s: errno = %d, error message = '%s'", what, code, ErrnoText(code).c_str());
}

H5FD_t* OpenFile(const char* name, unsigned /*flags*/, hid_t access, haddr_t /*most*/) {
  const auto* info = static_cast<const DriverInfo*>(H5Pget_driver_info(access));
  // Without O_NONBLOCK the opening of a pipe that nobody writes to would hang.
  const int descriptor = ::open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat state = {};
  if (descriptor < 0) {
    Report("unable to open file", errno);
    return nullptr;
  }
  if (::fstat(descriptor, &state) != 0 || !S_ISREG(state.st_mode)) {
    ::close(descriptor);
    return nullptr;
  }
  auto file = std::make_unique<ReadFile>();
  file->descriptor = descriptor;
  file->end_of_file = static_cast<haddr_t>(state.st_size);
  file->device = state.st_dev;
  file->number = state.st_ino;
  // Files that others lead to are opened without.
  file->raw_read = info == nullptr ? nullptr : info->raw_read;
  return &file.release()->library;
}

herr_t CloseFile(H5FD_t* file) {
  const std::unique_ptr<ReadFile> ours(Ours(file));
  ::close(ours->descriptor);
  return 0;
}

herr_t ReadBytes(H5FD_t* file, H5FD_mem_t type, hid_t /*transfer*/, haddr_t offset, size_t bytes,
                 void* out) {
  ReadFile* ours = Ours(file);
  if (type == H5FD_MEM_DRAW && ours->raw_read != nullptr && ours->raw_read->noting) {
    ++ours->raw_read->reads;
    ours->raw_read->offset = offset;
    ours->raw_read->bytes = bytes;
    return 0;
  }
  auto* next = static_cast<char*>(out);
  while (bytes > 0) {
    if (offset >= ours->end_of_file) {
      H5Epush2(H5E_DEFAULT, __FILE__, __func__, __LINE__, H5E_ERR_CLS, H5E_IO, H5E_READERROR,
               "the file is cut short: something is said to be at offset %llu of %llu",
               static_cast<unsigned long long>(offset),
               static_cast<unsigned long long>(ours->end_of_file));
      return -1;
    }
    const ssize_t got = ::pread(ours->descriptor, next, bytes, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      Report("file read failed", errno);
      return -1;
    }
    if (got == 0) {
      Report("file read failed", EIO);  // it has become shorter since it was opened
      return -1;
    }
    next += got;
    offset += static_cast<haddr_t>(got);
    bytes -= static_cast<size_t>(got);
  }
  return 0;
}

// Two openings of one file are one file to the library.
int CompareFiles(const H5FD_t* a, const H5FD_t* b) {
  const ReadFile* first = Ours(a);
  const ReadFile* second = Ours(b);
  if (first->device != second->device) return first->device < second->device ? -1 : 1;
  if (first->number != second->number) return first->number < second->number ? -1 : 1;
  return 0;
}

// The driver's number; registered once. The caller holds an Hdf5Lock.
hid_t Driver() {
  static const hid_t driver = [] {
    H5FD_class_t methods = {};
    methods.name = "rhohat_read";
    methods.maxaddr = HADDR_MAX / 2;
    methods.fc_degree = H5F_CLOSE_WEAK;
    methods.fapl_size = sizeof(DriverInfo);
    methods.open = OpenFile;
    methods.close = CloseFile;
    methods.cmp = CompareFiles;
    methods.query = [](const H5FD_t*, unsigned long* flags) -> herr_t {
      *flags = 0;
      return 0;
    };
    methods.get_eoa = [](const H5FD_t* file, H5FD_mem_t) { return Ours(file)->end_of_allocation; };
    methods.set_eoa = [](H5FD_t* file, H5FD_mem_t, haddr_t end) -> herr_t {
      Ours(file)->end_of_allocation = end;
      return 0;
    };
    methods.get_eof = [](const H5FD_t* file, H5FD_mem_t) { return Ours(file)->end_of_file; };
    methods.read = ReadBytes;
    methods.write = [](H5FD_t*, H5FD_mem_t, hid_t, haddr_t, size_t, const void*) -> herr_t {
      return -1;
    };
    constexpr std::array<H5FD_mem_t, H5FD_MEM_NTYPES> kMap = H5FD_FLMAP_DICHOTOMY;
    std::ranges::copy(kMap, methods.fl_map);
    return H5FDregister(&methods);
  }();
  return driver;
}

}  // namespace

Hdf5Handle ReadAccess(RawRead* raw_read) {
  Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  const DriverInfo info{raw_read};
  H5Pset_driver(access.id(), Driver(), &info);
  return access;
}

}  // namespace rhohat
