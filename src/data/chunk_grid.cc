#include "data/chunk_grid.h"

#include <algorithm>

namespace rhohat {
namespace {

// Axes behind this one are whole in every chunk, so that a run goes on across them.
size_t RunAxis(const std::vector<int64_t>& shape, const std::vector<int64_t>& chunk) {
  size_t axis = shape.size() - 1;
  while (axis > 1 && chunk[axis] == shape[axis]) --axis;
  return axis;
}

// The trailing axes of one chunk against those of the data set.
class ChunkRow {
 public:
  ChunkRow(const std::vector<int64_t>& shape, const std::vector<int64_t>& chunk)
      : shape_(shape),
        chunk_(chunk),
        column_stride_(shape.size(), 1),
        element_stride_(shape.size(), 1),
        run_axis_(RunAxis(shape, chunk)) {
    for (size_t axis = shape.size() - 1; axis > 1; --axis) {
      column_stride_[axis - 1] = column_stride_[axis] * shape[axis];
      element_stride_[axis - 1] = element_stride_[axis] * chunk[axis];
    }
  }

  // The runs of the chunk whose trailing corner is `corner` (axis 0 is not looked at).
  std::vector<ChunkRun> Runs(const std::vector<int64_t>& corner) const {
    std::vector<ChunkRun> runs;
    std::vector<int64_t> index(shape_.size(), 0);
    do {
      ChunkRun run;
      for (size_t axis = 1; axis <= run_axis_; ++axis) {
        run.first_column += (corner[axis] + index[axis]) * column_stride_[axis];
        run.first_element += index[axis] * element_stride_[axis];
      }
      run.columns = Length(corner, run_axis_) * column_stride_[run_axis_];
      runs.push_back(run);
    } while (NextIndex(corner, index));
    return runs;
  }

 private:
  int64_t Length(const std::vector<int64_t>& corner, size_t axis) const {
    return std::min(chunk_[axis], shape_[axis] - corner[axis]);
  }

  bool NextIndex(const std::vector<int64_t>& corner, std::vector<int64_t>& index) const {
    for (size_t axis = run_axis_; axis-- > 1;) {
      if (++index[axis] < Length(corner, axis)) return true;
      index[axis] = 0;
    }
    return false;
  }

  const std::vector<int64_t>& shape_;
  const std::vector<int64_t>& chunk_;
  std::vector<int64_t> column_stride_;
  std::vector<int64_t> element_stride_;
  size_t run_axis_;
};

bool NextCorner(const std::vector<int64_t>& shape, const std::vector<int64_t>& chunk,
                std::vector<int64_t>& corner) {
  for (size_t axis = shape.size(); axis-- > 1;) {
    corner[axis] += chunk[axis];
    if (corner[axis] < shape[axis]) return true;
    corner[axis] = 0;
  }
  return false;
}

}  // namespace

ChunkGrid::ChunkGrid(const std::vector<int64_t>& shape, const std::vector<int64_t>& chunk)
    : rows_in_chunk_(chunk[0]), bands_((shape[0] + chunk[0] - 1) / chunk[0]) {
  for (size_t axis = 1; axis < chunk.size(); ++axis) elements_in_chunk_row_ *= chunk[axis];
  const ChunkRow row(shape, chunk);
  std::vector<int64_t> corner(shape.size(), 0);
  do {
    runs_.push_back(row.Runs(corner));
    runs_in_row_ += static_cast<int64_t>(runs_.back().size());
  } while (NextCorner(shape, chunk, corner));
}

double ChunkGrid::RunsInRow(const std::vector<int64_t>& shape, const std::vector<int64_t>& chunk) {
  const size_t run_axis = RunAxis(shape, chunk);
  const int64_t chunks = (shape[run_axis] - 1) / chunk[run_axis] + 1;
  auto runs = static_cast<double>(chunks);
  for (size_t axis = 1; axis < run_axis; ++axis) runs *= static_cast<double>(shape[axis]);
  return runs;
}

bool ChunkGrid::IsPartial(int64_t chunk) const {
  int64_t elements = 0;
  for (const ChunkRun& run : runs(chunk)) elements += run.columns;
  return elements < elements_in_chunk_row_;
}

size_t ChunkGrid::MemoryBytes() const {
  size_t bytes = runs_.size() * sizeof(std::vector<ChunkRun>);
  for (const std::vector<ChunkRun>& runs : runs_) bytes += runs.size() * sizeof(ChunkRun);
  return bytes;
}

}  // namespace rhohat
