#include "analyze/forward_pass.h"

#include <algorithm>

#include "math/blas.h"

namespace rhohat {
namespace {

// The widest result among the layers `first`, first + 2, … below `layers`; 0 where there is none.
int64_t WidestOfEverySecond(const NetworkShape& shape, int64_t first, int64_t layers) {
  int64_t widest = 0;
  for (int64_t layer = first; layer < layers; layer += 2) {
    widest = std::max(widest, shape.width(layer + 1));
  }
  return widest;
}

}  // namespace

template <class T>
ForwardPass<T>::ForwardPass(const ModelSweep<T>& bound, int64_t layers, bool output_is_linear)
    : network_(bound.shape(), bound.model().network, output_is_linear),
      parameters_(bound.parameters()),
      layers_(layers) {
  const auto buffer = [&](int64_t first) {
    return AlignedBuffer<T>(static_cast<size_t>(bound.block_rows() *
                                                WidestOfEverySecond(bound.shape(), first, layers)));
  };
  for (int64_t worker = 0; worker < bound.threads(); ++worker) {
    workspaces_.push_back({buffer(0), buffer(1)});
  }
}

template <class T>
MatrixView<T> ForwardPass<T>::Run(int64_t worker, MatrixView<const T> rows) {
  const Workspace& workspace = workspaces_[static_cast<size_t>(worker)];
  MatrixView<T> out;
  for (int64_t layer = 0; layer < layers_; ++layer) {
    const AlignedBuffer<T>& buffer = layer % 2 == 0 ? workspace.even : workspace.odd;
    out = {buffer.data(), rows.rows, network_.shape().width(layer + 1)};
    network_.Forward(layer, parameters_, rows, out);
    rows = out;
  }
  return out;
}

template <class T>
size_t ForwardPass<T>::WorkspaceBytes(const NetworkShape& shape, int64_t layers,
                                      int64_t block_rows) {
  const int64_t width =
      WidestOfEverySecond(shape, 0, layers) + WidestOfEverySecond(shape, 1, layers);
  return static_cast<size_t>(block_rows * width) * sizeof(T) +
         ProductWorkspaceBytes(std::max(block_rows, shape.widest()), sizeof(T));
}

template class ForwardPass<float>;
template class ForwardPass<double>;

}  // namespace rhohat
