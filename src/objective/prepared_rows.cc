#include "objective/prepared_rows.h"

#include "math/blas.h"

namespace rhohat {

template <class T>
PreparedRows<T>::PreparedRows(const Preparation& preparation, int64_t inputs, int64_t block_rows,
                              int64_t threads)
    : preparation_(preparation, inputs), inputs_(inputs), block_rows_(block_rows) {
  workspaces_.resize(static_cast<size_t>(threads));
  if (preparation_.does_nothing()) return;
  for (Workspace& workspace : workspaces_) {
    workspace.prepared = AlignedBuffer<T>(static_cast<size_t>(block_rows * inputs));
    workspace.row_means.resize(static_cast<size_t>(block_rows));
  }
}

template <class T>
void PreparedRows<T>::Freeze(const NetworkShape& shape, const NetworkOptions& network,
                             std::span<const T> parameters, int64_t layers) {
  encoder_.emplace(shape, network);
  parameters_.assign(parameters.begin(), parameters.end());
  view_ = ViewParameters(shape, std::span<const T>(parameters_));
  layers_ = layers;
  for (Workspace& workspace : workspaces_) {
    workspace.levels.clear();
    workspace.places.clear();
    for (int64_t level = 1; level <= layers; ++level) {
      workspace.levels.emplace_back(static_cast<size_t>(block_rows_ * shape.width(level)));
      workspace.places.push_back(workspace.levels.back().data());
    }
  }
}

template <class T>
void PreparedRows<T>::Thaw() {
  encoder_.reset();
  parameters_ = {};
  layers_ = 0;
  for (Workspace& workspace : workspaces_) {
    workspace.levels.clear();
    workspace.places.clear();
  }
}

template <class T>
int64_t PreparedRows<T>::columns() const {
  return encoder_ ? encoder_->shape().width(layers_) : inputs_;
}

// Through the frozen layers, where there are any.
template <class T>
std::span<const T> PreparedRows<T>::PassOn(MatrixView<const T> rows, Workspace& workspace) const {
  if (!encoder_) return rows.flat();
  encoder_->Encode(view_, rows, workspace.places);
  return {workspace.places.back(), static_cast<size_t>(rows.rows * columns())};
}

template <class T>
std::span<const T> PreparedRows<T>::Apply(std::span<const T> rows, int64_t count, int64_t worker) {
  return PassOn({rows.data(), count, inputs_}, workspaces_[static_cast<size_t>(worker)]);
}

template <class T>
std::span<const T> PreparedRows<T>::ApplyToDouble(std::span<const double> rows, int64_t count,
                                                  int64_t worker) {
  Workspace& workspace = workspaces_[static_cast<size_t>(worker)];
  const MatrixView<T> prepared(workspace.prepared.data(), count, inputs_);
  preparation_.Apply(MatrixView<const double>(rows.data(), count, inputs_), prepared,
                     workspace.row_means);
  return PassOn(prepared, workspace);
}

template <class T>
size_t PreparedRows<T>::MemoryBytes(PreparationKind kind, int64_t inputs) {
  return RowPreparation<T>::MemoryBytes(kind, inputs);
}

template <class T>
size_t PreparedRows<T>::WorkspaceBytes(PreparationKind kind, int64_t inputs, int64_t block_rows) {
  if (kind == PreparationKind::kNone) return 0;
  // Rows are decoded to double, where the memory plan counts them as T.
  return static_cast<size_t>(block_rows * inputs) * sizeof(double) +
         static_cast<size_t>(block_rows) * sizeof(double) +
         RowPreparation<T>::ApplyBytes(kind, inputs, block_rows);
}

template <class T>
size_t PreparedRows<T>::FrozenBytes(const NetworkShape& shape) {
  return static_cast<size_t>(shape.parameters()) * sizeof(T);
}

template <class T>
size_t PreparedRows<T>::FrozenWorkspaceBytes(const NetworkShape& shape, int64_t layers,
                                             int64_t block_rows) {
  int64_t width = 0;
  for (int64_t level = 1; level <= layers; ++level) width += shape.width(level);
  return static_cast<size_t>(block_rows * width) * sizeof(T);
}

template class PreparedRows<float>;
template class PreparedRows<double>;

}  // namespace rhohat
