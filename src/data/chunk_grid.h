// How a chunk's elements lie in the rows of its data set.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace rhohat {

// A run of elements that lie one after another both in a row of a chunk and in a row of the data
// set.
struct ChunkRun {
  int64_t first_column = 0;  // in the data set's flattened columns
  int64_t columns = 0;
  int64_t first_element = 0;  // in the chunk's row
};

// The chunks that share one band of rows, in the order of the index; what each adds to a row.
class ChunkGrid {
 public:
  // `shape` and `chunk` have two axes or more; lengths are at least 1.
  ChunkGrid(const std::vector<int64_t>& shape, const std::vector<int64_t>& chunk);

  // Into how many runs the chunks cut a row; what a grid takes memory in proportion to.
  static double RunsInRow(const std::vector<int64_t>& shape, const std::vector<int64_t>& chunk);

  int64_t rows_in_chunk() const { return rows_in_chunk_; }
  int64_t bands() const { return bands_; }
  int64_t chunks_in_band() const { return static_cast<int64_t>(runs_.size()); }
  int64_t runs_in_row() const { return runs_in_row_; }
  int64_t elements_in_chunk_row() const { return elements_in_chunk_row_; }
  const std::vector<ChunkRun>& runs(int64_t chunk) const {
    return runs_[static_cast<size_t>(chunk)];
  }
  // Whether the chunk reaches over the end of a trailing axis.
  bool IsPartial(int64_t chunk) const;
  size_t MemoryBytes() const;

 private:
  int64_t rows_in_chunk_ = 0;
  int64_t bands_ = 0;
  int64_t elements_in_chunk_row_ = 1;
  int64_t runs_in_row_ = 0;
  std::vector<std::vector<ChunkRun>> runs_;
};

}  // namespace rhohat
