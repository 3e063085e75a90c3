#include "data/hdf5_chunk_index.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <hdf5.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "rhohat/error.h"

namespace rhohat {
namespace {

// What the driver saw of the last raw read.
struct RawRead {
  bool noting = false;  // else raw data is read as any other
  int reads = 0;
  haddr_t offset = 0;
  size_t bytes = 0;
};

// The library sees its first member only.
struct NotingFile {
  H5FD_t library;
  int descriptor;
  haddr_t end_of_allocation;
  haddr_t end_of_file;
  RawRead* raw_read;
};

struct NotingAccess {
  RawRead* raw_read;
};

NotingFile* Ours(H5FD_t* file) { return reinterpret_cast<NotingFile*>(file); }
const NotingFile* Ours(const H5FD_t* file) { return reinterpret_cast<const NotingFile*>(file); }

H5FD_t* OpenNoting(const char* name, unsigned /*flags*/, hid_t access, haddr_t /*most*/) {
  const auto* noting = static_cast<const NotingAccess*>(H5Pget_driver_info(access));
  const int descriptor = ::open(name, O_RDONLY | O_CLOEXEC);
  struct stat state = {};
  if (noting == nullptr || descriptor < 0 || ::fstat(descriptor, &state) != 0) {
    if (descriptor >= 0) ::close(descriptor);
    return nullptr;
  }
  auto file = std::make_unique<NotingFile>();
  file->descriptor = descriptor;
  file->end_of_file = static_cast<haddr_t>(state.st_size);
  file->raw_read = noting->raw_read;
  return &file.release()->library;
}

herr_t CloseNoting(H5FD_t* file) {
  const std::unique_ptr<NotingFile> ours(Ours(file));
  ::close(ours->descriptor);
  return 0;
}

herr_t ReadNoting(H5FD_t* file, H5FD_mem_t type, hid_t /*transfer*/, haddr_t offset, size_t bytes,
                  void* out) {
  NotingFile* ours = Ours(file);
  if (type == H5FD_MEM_DRAW && ours->raw_read->noting) {
    ++ours->raw_read->reads;
    ours->raw_read->offset = offset;
    ours->raw_read->bytes = bytes;
    return 0;
  }
  auto* next = static_cast<char*>(out);
  while (bytes > 0) {
    const ssize_t got = ::pread(ours->descriptor, next, bytes, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -1;
    if (got == 0) {
      std::memset(next, 0, bytes);  // what lies behind the end reads as zeros, as in the library
      return 0;
    }
    next += got;
    offset += static_cast<haddr_t>(got);
    bytes -= static_cast<size_t>(got);
  }
  return 0;
}

// The driver's number; registered once. The caller holds an Hdf5Lock.
hid_t NotingDriver() {
  static const hid_t driver = [] {
    H5FD_class_t methods = {};
    methods.name = "rhohat_noting";
    methods.maxaddr = HADDR_MAX / 2;
    methods.fc_degree = H5F_CLOSE_WEAK;
    methods.fapl_size = sizeof(NotingAccess);
    methods.open = OpenNoting;
    methods.close = CloseNoting;
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
    methods.read = ReadNoting;
    methods.write = [](H5FD_t*, H5FD_mem_t, hid_t, haddr_t, size_t, const void*) -> herr_t {
      return -1;
    };
    constexpr std::array<H5FD_mem_t, H5FD_MEM_NTYPES> kMap = H5FD_FLMAP_DICHOTOMY;
    std::ranges::copy(kMap, methods.fl_map);
    return H5FDregister(&methods);
  }();
  return driver;
}

// Moves to the next corner of a chunk; false after the last.
bool NextChunk(const std::vector<int64_t>& shape, const std::vector<int64_t>& chunk,
               std::vector<hsize_t>& corner) {
  for (size_t axis = shape.size(); axis-- > 0;) {
    corner[axis] += static_cast<hsize_t>(chunk[axis]);
    if (corner[axis] < static_cast<hsize_t>(shape[axis])) return true;
    corner[axis] = 0;
  }
  return false;
}

std::string At(const std::vector<hsize_t>& corner) {
  std::string text;
  for (const hsize_t index : corner) text += (text.empty() ? "" : ", ") + std::to_string(index);
  return text;
}

class IndexReader {
 public:
  IndexReader(const std::string& file, const std::string& dataset)
      : where_(file + ":" + dataset) {
    const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
    const NotingAccess noting{&raw_read_};
    H5Pset_driver(access.id(), NotingDriver(), &noting);
    file_ = Hdf5Handle(H5Fopen(file.c_str(), H5F_ACC_RDONLY, access.id()), H5Fclose);
    if (!file_.valid()) ThrowHdf5(where_, "cannot open");
    struct stat state = {};
    if (::stat(file.c_str(), &state) == 0) file_bytes_ = static_cast<uint64_t>(state.st_size);
    // No cache, so that every chunk is asked for.
    const Hdf5Handle dataset_access(H5Pcreate(H5P_DATASET_ACCESS), H5Pclose);
    H5Pset_chunk_cache(dataset_access.id(), 0, 0, 1.0);
    dataset_ = Hdf5Handle(H5Dopen2(file_.id(), dataset.c_str(), dataset_access.id()), H5Dclose);
    if (!dataset_.valid()) ThrowHdf5(where_, "cannot open");
    raw_read_.noting = true;
  }

  ChunkPlace Find(const std::vector<hsize_t>& corner) {
    raw_read_.reads = 0;
    ChunkPlace place;
    char nothing = 0;  // never written to
    if (H5Dread_chunk(dataset_.id(), H5P_DEFAULT, corner.data(), &place.filter_mask, &nothing) <
        0) {
      const Hdf5Failure failure = LastHdf5Failure();
      if (failure.cause.find("address isn't defined") != std::string::npos) return {};
      throw Error(failure.is_io ? ErrorKind::kIo : ErrorKind::kBadData,
                  fmt::format("{}: cannot find the chunk at {}: {}", where_, At(corner),
                              failure.cause));
    }
    if (raw_read_.reads == 0) return {};
    place.offset = raw_read_.offset;
    if (raw_read_.reads > 1 || raw_read_.bytes == 0 || raw_read_.bytes > UINT32_MAX ||
        place.offset > file_bytes_ || raw_read_.bytes > file_bytes_ - place.offset) {
      throw Error(ErrorKind::kBadData,
                  fmt::format("{}: is damaged: the chunk at {} is said to be {} bytes at offset {} "
                              "of a file of {}",
                              where_, At(corner), raw_read_.bytes, place.offset, file_bytes_));
    }
    place.stored_bytes = static_cast<uint32_t>(raw_read_.bytes);
    return place;
  }

 private:
  std::string where_;
  RawRead raw_read_;
  uint64_t file_bytes_ = 0;
  Hdf5Handle file_;
  Hdf5Handle dataset_;
};

}  // namespace

std::vector<ChunkPlace> ReadChunkIndex(const std::string& file, const std::string& dataset,
                                       const std::vector<int64_t>& shape,
                                       const std::vector<int64_t>& chunk) {
  const Hdf5Lock lock;
  IndexReader reader(file, dataset);
  std::vector<ChunkPlace> places;
  std::vector<hsize_t> corner(shape.size(), 0);
  do {
    places.push_back(reader.Find(corner));
  } while (NextChunk(shape, chunk, corner));
  return places;
}

}  // namespace rhohat
