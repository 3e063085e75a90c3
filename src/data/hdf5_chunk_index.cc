#include "data/hdf5_chunk_index.h"

#include <fmt/core.h>
#include <hdf5.h>
#include <sys/stat.h>

#include "data/hdf5_read_driver.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

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
  IndexReader(const std::string& file, const std::string& dataset) : where_(file + ":" + dataset) {
    const Hdf5Handle access = ReadAccess(&raw_read_);
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
    raw_read_.bytes = 0;
    ChunkPlace place;
    char nothing = 0;  // never written to
    if (H5Dread_chunk(dataset_.id(), H5P_DEFAULT, corner.data(), &place.filter_mask, &nothing) <
        0) {
      const Hdf5Failure failure = LastHdf5Failure();
      // Of a chunk that was never written, or of a data set without a single one.
      if (failure.cause.find("address isn't defined") != std::string::npos ||
          failure.cause.find("storage is not initialized") != std::string::npos) {
        return {};
      }
      throw Error(
          failure.is_io ? ErrorKind::kIo : ErrorKind::kBadData,
          fmt::format("{}: cannot find the chunk at {}: {}", where_, At(corner), failure.cause));
    }
    place.offset = raw_read_.offset;
    if (raw_read_.reads != 1 || raw_read_.bytes == 0 || raw_read_.bytes > UINT32_MAX ||
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
