#include "network/forward_parameters.h"

#include "math/long_rows.h"

namespace rhohat {
namespace {

// Whether layer `layer` computes with a weight that is kept as it is stored.
bool IsTurned(const NetworkShape& shape, int64_t layer) {
  return !shape.is_transposed(layer) &&
         shape.width(layer) * shape.width(layer + 1) <= kMostSmallWeights;
}

int64_t Numbers(const NetworkShape& shape) {
  int64_t numbers = 0;
  for (int64_t layer = 0; layer < shape.layers(); ++layer) {
    const int64_t outputs = shape.width(layer + 1);
    numbers += RowsTogether(outputs) * outputs;
    if (IsTurned(shape, layer)) numbers += shape.width(layer) * outputs;
  }
  return numbers;
}

template <class T>
void Transpose(MatrixView<const T> from, MatrixView<T> to) {
  for (int64_t i = 0; i < from.rows; ++i) {
    for (int64_t j = 0; j < from.columns; ++j) to.row(j)[i] = from.row(i)[j];
  }
}

}  // namespace

template <class T>
ForwardParameters<T>::ForwardParameters(const NetworkShape& shape)
    : shape_(shape), numbers_(static_cast<size_t>(Numbers(shape))) {}

template <class T>
size_t ForwardParameters<T>::MemoryBytes(const NetworkShape& shape) {
  return static_cast<size_t>(Numbers(shape)) * sizeof(T);
}

template <class T>
void ForwardParameters<T>::Set(const Parameters<const T>& parameters) {
  layers_ = parameters;
  T* next = numbers_.data();
  for (int64_t layer = 0; layer < shape_.layers(); ++layer) {
    LayerParameters<const T>& part = layers_.layers[static_cast<size_t>(layer)];
    const std::span<T> bias(
        next, part.bias.size() * static_cast<size_t>(RowsTogether(std::ssize(part.bias))));
    RepeatRow(part.bias, bias);
    part.bias = bias;
    next += bias.size();
    if (!IsTurned(shape_, layer)) continue;
    const MatrixView<T> turned(next, part.weight.columns, part.weight.rows);
    Transpose(part.weight, turned);
    part.weight = turned;
    part.transposed = true;
    next += turned.size();
  }
}

template class ForwardParameters<float>;
template class ForwardParameters<double>;

}  // namespace rhohat
