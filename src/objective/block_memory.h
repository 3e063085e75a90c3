// Where the numbers of a block lie while its gradient is made: what each layer gives, what comes
// back, and room for rows and sums between two products.
//
// Each thread has its own. Before the last layer nothing is written that the way back does not
// read, and what it has read makes room for what it gives: ∂/∂z takes the place of a.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/aligned_buffer.h"
#include "math/views.h"
#include "network/parameters.h"
#include "rhohat/options.h"
#include "sweep/sweep.h"

namespace rhohat {

// Functions of a block are called by many threads, by one at a time for each `block.worker`; the
// others by one thread, between blocks.
template <class T>
class BlockMemory {
 public:
  // `threads` and `block_rows` bound block.worker and the rows of a block. With `noise`, there is
  // room for noisy rows. All memory is allocated here, but for PrepareSplit()'s.
  BlockMemory(const NetworkShape& shape, bool noise, int64_t threads, int64_t block_rows);

  // What it allocates for each thread, and BLAS beside it.
  static size_t WorkspaceBytes(const NetworkShape& shape, bool noise, int64_t block_rows,
                               bool split);

  // The part of it that does not depend on block_rows, without BLAS.
  static size_t RowWorkspaceBytes(const NetworkShape& shape);

  // Also allocates slopes().
  void PrepareSplit();

  // What each layer gives (B×width), and the noisy rows where there is noise (else null), are in
  // the caller's memory from now on; with block_rows = 0 there is no other.
  void Use(int64_t worker, std::span<T* const> levels, T* corrupted);

  // The encoder's layers of this block lie in `codes`, layer after layer, B × encoder units; null:
  // in memory of its own.
  void PlaceEncoder(const Block<T>& block, T* codes);

  // What layer level − 1 gives, B×width, from level 1 on.
  MatrixView<T> Level(const Block<T>& block, int64_t level) const;

  // What the layers of either half give, one pointer each.
  std::span<T* const> EncoderLevels(const Block<T>& block) const;
  std::span<T* const> DecoderLevels(const Block<T>& block) const;

  // x̃, B×n, where there is noise.
  T* Corrupted(const Block<T>& block) const { return Of(block).corrupted; }

  // ∂/∂a of what layer level − 1 gives, hidden ones only, B×width.
  MatrixView<T> Delta(const Block<T>& block, int64_t level) const;

  // f′ of the first layer, B×h₁.
  T* Slopes(const Block<T>& block) const { return Of(block).slopes.data(); }

  // Of the longest long row (math/long_rows.h): room for one, and for a sum of each of its values.
  T* LongRow(const Block<T>& block) const { return Of(block).long_row.data(); }
  std::span<double> Sums(const Block<T>& block) const { return Of(block).sums.span(); }

 private:
  // One thread's.
  struct Workspace {
    AlignedBuffer<T> own_corrupted;
    T* corrupted = nullptr;
    std::vector<AlignedBuffer<T>> buffers;  // of `own_levels`
    std::vector<T*> own_levels;             // a, …, x̂; then ∂/∂z
    std::vector<T*> levels;                 // the same, the encoder's perhaps elsewhere
    AlignedBuffer<T> delta;
    AlignedBuffer<T> slopes;
    AlignedBuffer<T> long_row;
    AlignedBuffer<double> sums;
  };

  const Workspace& Of(const Block<T>& block) const {
    return workspaces_[static_cast<size_t>(block.worker)];
  }

  NetworkShape shape_;
  int64_t block_rows_;
  std::vector<Workspace> workspaces_;
};

// Values of the longest long row of what any layer gives.
int64_t LongestRow(const NetworkShape& shape);

}  // namespace rhohat
