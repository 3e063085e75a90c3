#include "objective/prepared_rows.h"

namespace rhohat {

template <class T>
PreparedRows<T>::PreparedRows(const Preparation& preparation, int64_t inputs, int64_t block_rows,
                              int64_t threads)
    : preparation_(preparation, inputs), inputs_(inputs), block_rows_(block_rows) {
  workspaces_.resize(static_cast<size_t>(threads));
  if (!preparation_.does_nothing()) AllocatePrepared();
}

template <class T>
void PreparedRows<T>::AllocatePrepared() {
  for (Workspace& workspace : workspaces_) {
    workspace.prepared = AlignedBuffer<T>(static_cast<size_t>(block_rows_ * inputs_));
    workspace.row_means.resize(static_cast<size_t>(block_rows_));
  }
}

template <class T>
void PreparedRows<T>::Freeze(const NetworkShape& shape, const NetworkOptions& network,
                             std::span<const T> parameters, int64_t layers) {
  encoder_.emplace(shape, network);
  parameters_.assign(parameters.begin(), parameters.end());
  view_ = ViewParameters(shape, std::span<const T>(parameters_));
  layers_ = layers;
  if (workspaces_.front().row_means.empty()) AllocatePrepared();
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

template <class T>
std::span<const T> PreparedRows<T>::Apply(std::span<const double> rows, int64_t count,
                                          int64_t worker) {
  Workspace& workspace = workspaces_[static_cast<size_t>(worker)];
  const MatrixView<T> prepared(workspace.prepared.data(), count, inputs_);
  preparation_.Apply(MatrixView<const double>(rows.data(), count, inputs_), prepared,
                     workspace.row_means);
  if (!encoder_) return MatrixView<const T>(prepared).flat();
  encoder_->Encode(view_, prepared, workspace.places);
  return {workspace.places.back(), static_cast<size_t>(count * columns())};
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
  // Without a preparation, the rows in double and in T are beyond what others count.
  return static_cast<size_t>(block_rows * width) * sizeof(T) +
         static_cast<size_t>(block_rows * (shape.inputs + 1)) * sizeof(double);
}

template class PreparedRows<float>;
template class PreparedRows<double>;

}  // namespace rhohat
