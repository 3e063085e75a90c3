#include "objective/block_memory.h"

#include <algorithm>

#include "math/blas.h"
#include "math/long_rows.h"

namespace rhohat {
namespace {

// The widest level that gets a delta of its own on the way back.
int64_t WidestHidden(const NetworkShape& shape) { return std::ranges::max(shape.hidden); }

}  // namespace

int64_t LongestRow(const NetworkShape& shape) {
  int64_t longest = 0;
  for (int64_t level = 1; level <= shape.layers(); ++level) {
    const int64_t columns = shape.width(level);
    longest = std::max(longest, RowsTogether(columns) * columns);
  }
  return longest;
}

template <class T>
BlockMemory<T>::BlockMemory(const NetworkShape& shape, bool noise, int64_t threads,
                            int64_t block_rows)
    : shape_(shape), block_rows_(block_rows) {
  const auto buffer = [&](int64_t width) {
    return AlignedBuffer<T>(static_cast<size_t>(block_rows * width));
  };
  for (int64_t worker = 0; worker < threads; ++worker) {
    Workspace& workspace = workspaces_.emplace_back();
    if (noise) workspace.own_corrupted = buffer(shape.inputs);
    workspace.corrupted = workspace.own_corrupted.data();
    for (int64_t level = 1; level <= shape.layers(); ++level) {
      workspace.buffers.push_back(buffer(shape.width(level)));
      workspace.own_levels.push_back(workspace.buffers.back().data());
    }
    workspace.levels = workspace.own_levels;
    workspace.delta = buffer(WidestHidden(shape));
    workspace.long_row = AlignedBuffer<T>(static_cast<size_t>(LongestRow(shape)));
    workspace.sums = AlignedBuffer<double>(workspace.long_row.size());
  }
}

template <class T>
size_t BlockMemory<T>::WorkspaceBytes(const NetworkShape& shape, bool noise, int64_t block_rows,
                                      bool split) {
  int64_t width = WidestHidden(shape);
  if (noise) width += shape.inputs;
  if (split) width += shape.width(1);
  for (int64_t level = 1; level <= shape.layers(); ++level) width += shape.width(level);
  return static_cast<size_t>(block_rows * width) * sizeof(T) + RowWorkspaceBytes(shape) +
         ProductWorkspaceBytes(std::max(block_rows, shape.widest()), sizeof(T));
}

template <class T>
size_t BlockMemory<T>::RowWorkspaceBytes(const NetworkShape& shape) {
  return static_cast<size_t>(LongestRow(shape)) * (sizeof(T) + sizeof(double));
}

template <class T>
void BlockMemory<T>::PrepareSplit() {
  for (Workspace& workspace : workspaces_) {
    workspace.slopes = AlignedBuffer<T>(static_cast<size_t>(block_rows_ * shape_.width(1)));
  }
}

template <class T>
void BlockMemory<T>::Use(int64_t worker, std::span<T* const> levels, T* corrupted) {
  Workspace& workspace = workspaces_[static_cast<size_t>(worker)];
  workspace.own_levels.assign(levels.begin(), levels.end());
  workspace.levels = workspace.own_levels;
  workspace.corrupted = corrupted;
}

template <class T>
void BlockMemory<T>::PlaceEncoder(const Block<T>& block, T* codes) {
  Workspace& workspace = workspaces_[static_cast<size_t>(block.worker)];
  for (int64_t layer = 0; layer < shape_.depth(); ++layer) {
    const auto index = static_cast<size_t>(layer);
    workspace.levels[index] = codes == nullptr
                                  ? workspace.own_levels[index]
                                  : codes + block.range.size() * shape_.encoder_offset(layer);
  }
}

template <class T>
MatrixView<T> BlockMemory<T>::Level(const Block<T>& block, int64_t level) const {
  return {Of(block).levels[static_cast<size_t>(level - 1)], block.range.size(),
          shape_.width(level)};
}

template <class T>
std::span<T* const> BlockMemory<T>::EncoderLevels(const Block<T>& block) const {
  return std::span<T* const>(Of(block).levels).first(static_cast<size_t>(shape_.depth()));
}

template <class T>
std::span<T* const> BlockMemory<T>::DecoderLevels(const Block<T>& block) const {
  return std::span<T* const>(Of(block).levels).subspan(static_cast<size_t>(shape_.depth()));
}

template <class T>
MatrixView<T> BlockMemory<T>::Delta(const Block<T>& block, int64_t level) const {
  return {Of(block).delta.data(), block.range.size(), shape_.width(level)};
}

template class BlockMemory<float>;
template class BlockMemory<double>;

}  // namespace rhohat
