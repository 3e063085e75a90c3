#include "data/hdf5_blocks.h"

#include <fmt/core.h>
#include <hdf5.h>

#include <algorithm>
#include <vector>

#include "base/units.h"
#include "data/hdf5_handle.h"
#include "data/hdf5_open.h"
#include "data/hdf5_type.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

using Extents = std::vector<int64_t>;

int64_t Product(const Extents& extents, size_t begin, size_t end) {
  int64_t product = 1;
  for (size_t axis = begin; axis < end; ++axis) product *= extents[axis];
  return product;
}

// A box of whole chunks, grown from the last axis on to so many elements.
Extents BlockShape(const Hdf5DataSetInfo& info, int64_t most_elements) {
  const size_t axes = info.shape.size();
  const Extents unit = info.chunk.empty() ? Extents(axes, 1) : info.chunk;
  Extents block(axes);
  for (size_t axis = 0; axis < axes; ++axis) block[axis] = std::min(unit[axis], info.shape[axis]);
  for (size_t axis = axes; axis-- > 0;) {
    const int64_t others = Product(block, 0, axes) / block[axis];
    const int64_t grown = most_elements / others / unit[axis] * unit[axis];
    block[axis] = std::min(info.shape[axis], std::max(block[axis], grown));
    if (block[axis] < info.shape[axis]) break;
  }
  return block;
}

// Reads the data set's boxes. The caller holds an Hdf5Lock.
class BoxReader {
 public:
  explicit BoxReader(const Hdf5DataSetInfo& info) : info_(info), file_(OpenHdf5File(info.file)) {
    // Boxes are of whole chunks: none is needed twice.
    const Hdf5Handle access(H5Pcreate(H5P_DATASET_ACCESS), H5Pclose);
    H5Pset_chunk_cache(access.id(), 1, 0, 1.0);
    dataset_ = Hdf5Handle(H5Dopen2(file_.id(), info.dataset.c_str(), access.id()), H5Dclose);
    if (!dataset_.valid()) ThrowHdf5(info.where(), "cannot open");
    space_ = Hdf5Handle(H5Dget_space(dataset_.id()), H5Sclose);
    MemoryType memory =
        MemoryTypeOf(Hdf5Handle(H5Dget_type(dataset_.id()), H5Tclose).id(), info.where());
    type_ = std::move(memory.hdf5);
    CheckStaysInFile(dataset_.id(), info.file, info.where(), false);
    CheckIsTheSame(memory.element);
  }

  void Read(const Extents& start, const Extents& count, std::byte* out) const {
    const std::vector<hsize_t> from(start.begin(), start.end());
    const std::vector<hsize_t> lengths(count.begin(), count.end());
    const Hdf5Handle memory_space(
        H5Screate_simple(static_cast<int>(lengths.size()), lengths.data(), nullptr), H5Sclose);
    if (H5Sselect_hyperslab(space_.id(), H5S_SELECT_SET, from.data(), nullptr, lengths.data(),
                            nullptr) < 0 ||
        H5Dread(dataset_.id(), type_.id(), memory_space.id(), space_.id(), H5P_DEFAULT, out) < 0) {
      ThrowHdf5(info_.where(), "cannot read its elements");
    }
  }

 private:
  void CheckIsTheSame(ElementType element) const {
    const int axes = H5Sget_simple_extent_ndims(space_.id());
    std::vector<hsize_t> shape(static_cast<size_t>(std::max(axes, 0)));
    if (!shape.empty()) H5Sget_simple_extent_dims(space_.id(), shape.data(), nullptr);
    if (element == info_.element &&
        std::equal(shape.begin(), shape.end(), info_.shape.begin(), info_.shape.end(),
                   [](hsize_t a, int64_t b) { return a == static_cast<hsize_t>(b); })) {
      return;
    }
    throw Error(ErrorKind::kBadData,
                fmt::format("{}: has changed since this run began", info_.where()));
  }

  const Hdf5DataSetInfo& info_;
  Hdf5Handle file_;
  Hdf5Handle dataset_;
  Hdf5Handle space_;
  Hdf5Handle type_;
};

// Hands over the runs of a box: what lies together in the data set too.
void TakeRuns(const Hdf5DataSetInfo& info, const Extents& start, const Extents& count,
              const std::byte* elements, const TakeElements& take) {
  const size_t axes = count.size();
  size_t cut = axes - 1;  // the last axis that the box does not cover, or the first
  while (cut > 0 && count[cut] == info.shape[cut]) --cut;
  const int64_t run = Product(count, cut, axes);
  const int64_t runs = Product(count, 0, cut);
  const size_t run_bytes = static_cast<size_t>(run) * ElementBytes(info.element);
  for (int64_t i = 0; i < runs; ++i) {
    int64_t first = start[cut] * Product(info.shape, cut + 1, axes);
    int64_t rest = i;
    for (size_t axis = cut; axis-- > 0;) {
      first += (start[axis] + rest % count[axis]) * Product(info.shape, axis + 1, axes);
      rest /= count[axis];
    }
    take(first, {elements + static_cast<size_t>(i) * run_bytes, run_bytes});
  }
}

// Moves `start` to the next block, the last axis first. Returns whether there is one.
bool NextBlock(const Extents& shape, const Extents& block, Extents& start) {
  for (size_t axis = shape.size(); axis-- > 0;) {
    start[axis] += block[axis];
    if (start[axis] < shape[axis]) return true;
    start[axis] = 0;
  }
  return false;
}

}  // namespace

void CheckIsStored(const Hdf5DataSetInfo& info) {
  // What gzip makes of a byte at best, and a little more.
  constexpr int64_t kMostInflation = 1100;
  const auto element_bytes = static_cast<int64_t>(ElementBytes(info.element));
  int64_t claimed = info.rows * info.columns * element_bytes;
  int64_t chunk_bytes = element_bytes;
  for (const int64_t length : info.chunk) {
    chunk_bytes = CheckedProduct(chunk_bytes, length, info.where() + ": the size of its chunks");
  }
  if (!info.chunk.empty()) claimed = std::max(claimed, chunk_bytes);
  const auto stored = static_cast<int64_t>(info.stored_bytes);
  if (info.stored_bytes <= info.file_bytes && claimed / kMostInflation <= stored) return;
  throw Error(ErrorKind::kBadData,
              fmt::format("{}: expected {} bytes, found {} stored: most of it was never written, "
                          "or it is damaged",
                          info.where(), claimed, info.stored_bytes));
}

void ReadByBlocks(const Hdf5DataSetInfo& info, size_t block_bytes, const TakeElements& take) {
  if (info.rows == 0 || info.columns == 0) return;
  CheckIsStored(info);
  const Hdf5Lock lock;
  const BoxReader reader(info);
  const size_t element_bytes = ElementBytes(info.element);
  const Extents block = BlockShape(info, static_cast<int64_t>(block_bytes / element_bytes));
  const size_t axes = block.size();
  std::vector<std::byte> elements(static_cast<size_t>(Product(block, 0, axes)) * element_bytes);
  Extents start(axes, 0);
  Extents count(axes);
  do {
    for (size_t axis = 0; axis < axes; ++axis) {
      count[axis] = std::min(block[axis], info.shape[axis] - start[axis]);
    }
    reader.Read(start, count, elements.data());
    TakeRuns(info, start, count, elements.data(), take);
  } while (NextBlock(info.shape, block, start));
}

}  // namespace rhohat
