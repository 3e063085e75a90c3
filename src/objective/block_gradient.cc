#include "objective/block_gradient.h"

#include <algorithm>

#include "math/blas.h"
#include "math/kernels.h"
#include "math/long_rows.h"

namespace rhohat {
namespace {

template <class T>
MatrixView<const T> RowsOf(const Block<T>& block, int64_t inputs) {
  return {block.rows.data(), block.range.size(), inputs};
}

int64_t LongRow(int64_t columns) { return RowsTogether(columns) * columns; }

}  // namespace

template <class T>
BlockGradient<T>::BlockGradient(const NetworkShape& shape, const NetworkOptions& network,
                                const ObjectiveOptions& options, const NoiseSource& noise,
                                Penalties<T> penalties, std::function<std::string(int64_t)> locate,
                                int64_t threads, int64_t block_rows)
    : network_(shape, network, InfoOf(options.loss).from_logits),
      loss_(options.loss, std::move(locate)),
      corruption_(options.noise, noise),
      penalties_(std::move(penalties)),
      forward_(shape),
      decoder_(network.decoder),
      mean_slopes_(static_cast<size_t>(shape.encoder_units())),
      zeros_(static_cast<size_t>(LongestRow(shape))),
      memory_(shape, !corruption_.does_nothing(), threads, block_rows) {
  for (const auto& penalty : penalties_) {
    statistics_ += penalty->statistics();
    has_mean_slope_ = has_mean_slope_ || penalty->has_mean_slope();
  }
  std::ranges::fill(mean_slopes_.span(), T(0));
  std::ranges::fill(zeros_.span(), T(0));
  for (const int64_t units : shape.hidden) {
    repeated_slopes_.emplace_back(static_cast<size_t>(LongRow(units)));
    std::ranges::fill(repeated_slopes_.back().span(), T(0));
  }
}

template <class T>
size_t BlockGradient<T>::WorkspaceBytes(const NetworkShape& shape, const ObjectiveOptions& options,
                                        int64_t block_rows, bool split) {
  return BlockMemory<T>::WorkspaceBytes(shape, options.noise.kind != NoiseKind::kNone, block_rows,
                                        split);
}

template <class T>
MatrixView<const T> BlockGradient<T>::Input(const Block<T>& block) const {
  if (corruption_.does_nothing()) return RowsOf(block, shape().inputs);
  return {memory_.Corrupted(block), block.range.size(), shape().inputs};
}

template <class T>
MatrixView<const T> BlockGradient<T>::Reconstruction(const Block<T>& block) const {
  return memory_.Level(block, shape().layers());
}

template <class T>
std::span<const T> BlockGradient<T>::EncoderRow(const Block<T>& block, int64_t layer,
                                                int64_t row) const {
  const MatrixView<const T> level = memory_.Level(block, layer + 1);
  return {level.row(row), static_cast<size_t>(level.columns)};
}

// The part of a layer of the encoder.
template <class T>
std::span<const double> BlockGradient<T>::OfLayer(std::span<const double> rho_hat,
                                                  int64_t layer) const {
  return rho_hat.subspan(static_cast<size_t>(shape().encoder_offset(layer)),
                         static_cast<size_t>(shape().width(layer + 1)));
}

// ---- Between blocks ----------------------------------------------------------------------------

template <class T>
void BlockGradient<T>::SetParameters(std::span<const T> flat) {
  parameters_ = ViewParameters(shape(), flat);
  forward_.Set(parameters_);
  for (const auto& penalty : penalties_) penalty->SetParameters(parameters_);
}

template <class T>
void BlockGradient<T>::SetRhoHat(std::span<const double> rho_hat) {
  std::ranges::fill(mean_slopes_.span(), T(0));
  for (const auto& penalty : penalties_) {
    if (!penalty->has_mean_slope()) continue;
    const std::span<const double> of_layer = OfLayer(rho_hat, penalty->layer());
    const auto offset = static_cast<size_t>(shape().encoder_offset(penalty->layer()));
    penalty->AddMeanSlope(of_layer, mean_slopes_.span().subspan(offset, of_layer.size()));
  }
  for (int64_t layer = 0; layer < shape().depth(); ++layer) {
    const std::span<const T> slopes(mean_slopes_.data() + shape().encoder_offset(layer),
                                    static_cast<size_t>(shape().width(layer + 1)));
    RepeatRow(slopes, repeated_slopes_[static_cast<size_t>(layer)].span());
  }
}

// ---- Forwards ----------------------------------------------------------------------------------

template <class T>
void BlockGradient<T>::Corrupt(const Block<T>& block) {
  if (corruption_.does_nothing()) return;
  const MatrixView<const T> rows = RowsOf(block, shape().inputs);
  T* const corrupted = memory_.Corrupted(block);
  for (int64_t i = 0; i < rows.rows; ++i) {
    corruption_.Apply(block.Number(i), {rows.row(i), 1, rows.columns},
                      {corrupted + i * rows.columns, 1, rows.columns});
  }
}

template <class T>
void BlockGradient<T>::Encode(const Block<T>& block, T* codes) {
  memory_.PlaceEncoder(block, codes);
  Corrupt(block);
  network_.Encode(forward_.get(), Input(block), memory_.EncoderLevels(block));
}

template <class T>
void BlockGradient<T>::UseEncoded(const Block<T>& block, T* codes) {
  memory_.PlaceEncoder(block, codes);
  Corrupt(block);
}

template <class T>
void BlockGradient<T>::AddActivations(const Block<T>& block, RowSums& sums) const {
  const Kernels<T>& kernels = BestKernels<T>();
  for (int64_t layer = 0; layer < shape().depth(); ++layer) {
    double* const layer_sums = sums.activation.data() + shape().encoder_offset(layer);
    const MatrixView<T> level = memory_.Level(block, layer + 1);
    AddLongRows(level.rows, level.columns, memory_.Sums(block), layer_sums,
                [&](int64_t first, int64_t count, double* long_sums) {
                  kernels.add_to_sums(level.data + first, long_sums, count);
                });
  }
}

template <class T>
void BlockGradient<T>::AddStatistics(const Block<T>& block, RowSums& sums) const {
  double* next = sums.statistics.data();
  for (const auto& penalty : penalties_) {
    if (penalty->statistics() == 0) continue;
    for (int64_t i = 0; i < block.range.size(); ++i) {
      penalty->AddRow(EncoderRow(block, penalty->layer(), i), next);
    }
    next += penalty->statistics();
  }
}

// By the long row, and so in the order of AddOutputDelta().
template <class T>
void BlockGradient<T>::AddLoss(const Block<T>& block, RowSums& sums) const {
  const MatrixView<T> output = memory_.Level(block, shape().layers());
  const int64_t columns = output.columns;
  ForEachLongRow(output.rows, columns, [&](int64_t first, int64_t count) {
    sums.loss +=
        loss_.ApplyToRows(block.range.begin + first / columns, output.data + first,
                          block.rows.data() + first, memory_.LongRow(block), columns, count);
  });
}

template <class T>
void BlockGradient<T>::AddCost(const Block<T>& block, RowSums& sums) {
  network_.Decode(forward_.get(), memory_.Level(block, shape().depth()),
                  memory_.DecoderLevels(block));
  AddStatistics(block, sums);
  AddLoss(block, sums);
}

template <class T>
template <class Function>
void BlockGradient<T>::ForEachPenalty(const RowSums& sums, int64_t rows,
                                      std::span<const double> rho_hat,
                                      const Function& function) const {
  std::vector<double> means = sums.statistics;
  for (double& mean : means) mean *= 1.0 / static_cast<double>(rows);
  std::span<const double> rest = means;
  for (const auto& penalty : penalties_) {
    const auto count = static_cast<size_t>(penalty->statistics());
    function(*penalty, PenaltyMeans{OfLayer(rho_hat, penalty->layer()), rest.first(count)});
    rest = rest.subspan(count);
  }
}

template <class T>
CostTerms BlockGradient<T>::Cost(const RowSums& sums, int64_t rows,
                                 std::span<const double> rho_hat) const {
  CostTerms cost;
  cost.reconstruction = sums.loss / static_cast<double>(rows);
  ForEachPenalty(sums, rows, rho_hat, [&](const Penalty<T>& penalty, const PenaltyMeans& means) {
    cost.*penalty.term() += penalty.Cost(parameters_, means);
  });
  return cost;
}

// ---- Backwards ---------------------------------------------------------------------------------

// docs/math.md §3, for the rows of one block.
template <class T>
void BlockGradient<T>::AddGradient(const Block<T>& block, GradientSums<T>& sums) {
  AddStatistics(block, sums.rows);
  AddOutputDelta(block, sums.rows.loss, sums.bias(shape().layers() - 1));
  for (int64_t layer = shape().layers() - 1; layer > 0; --layer) {
    AddLayerGradient(block, layer, sums);
    PropagateBack(block, layer, sums.bias(layer - 1));
  }
  AddLayerGradient(block, 0, sums);
}

template <class T>
void BlockGradient<T>::AddSplitGradient(const Block<T>& block, GradientSums<T>& sums) {
  AddStatistics(block, sums.rows);
  AddOutputDelta(block, sums.rows.loss, sums.bias(shape().layers() - 1));
  for (int64_t layer = shape().layers() - 1; layer > 1; --layer) {
    AddLayerGradient(block, layer, sums);
    PropagateBack(block, layer, sums.bias(layer - 1));
  }
  AddLayerGradient(block, 1, sums);
  PropagateBackSplit(block, sums);
  AddLayerGradient(block, 0, sums);
  const MatrixView<const T> slopes(memory_.Slopes(block), block.range.size(), shape().width(1));
  network_.AddWeightGradient(0, slopes, Input(block), sums.slope_weight());
}

template <class T>
void BlockGradient<T>::AddLayerGradient(const Block<T>& block, int64_t layer,
                                        GradientSums<T>& sums) const {
  const MatrixView<const T> in = layer == 0 ? Input(block) : memory_.Level(block, layer);
  network_.AddWeightGradient(layer, memory_.Level(block, layer + 1), in, sums.weight(layer));
}

// The decoder's product becomes ∂J/∂z of the output.
template <class T>
void BlockGradient<T>::AddOutputDelta(const Block<T>& block, double& loss,
                                      std::vector<double>& bias_sums) const {
  const int64_t last = shape().layers() - 1;
  const T* const bias = forward_.get()[last].bias.data();
  network_.DecodeToProduct(forward_.get(), memory_.Level(block, shape().depth()),
                           memory_.DecoderLevels(block));
  const MatrixView<T> output = memory_.Level(block, last + 1);
  AddLongRows(output.rows, output.columns, memory_.Sums(block), bias_sums.data(),
              [&](int64_t first, int64_t count, double* long_sums) {
                loss += loss_.Back(block.range.begin + first / output.columns, decoder_,
                                   output.data + first, bias, block.rows.data() + first, long_sums,
                                   output.columns, count);
              });
}

// ∂J/∂a of what the layer before `layer` gives, but for the penalties' share: δ W.
template <class T>
MatrixView<T> BlockGradient<T>::BackThrough(const Block<T>& block, int64_t layer) const {
  const MatrixView<T> delta = memory_.Delta(block, layer);
  network_.Backward(layer, parameters_, memory_.Level(block, layer + 1), delta);
  return delta;
}

// What penalties on a add, other than by way of ρ̂.
template <class T>
void BlockGradient<T>::AddPenaltySlopes(const Block<T>& block, int64_t encoder_layer,
                                        MatrixView<T> delta) const {
  for (const auto& penalty : penalties_) {
    if (!penalty->has_slope() || penalty->layer() != encoder_layer) continue;
    for (int64_t i = 0; i < delta.rows; ++i) {
      penalty->AddSlope(EncoderRow(block, encoder_layer, i), delta.row(i));
    }
  }
}

// out = ∂J/∂z = (δ + shift) ∘ f′ of `layer`, which is added to `bias`. `shift` is a long row; `out`
// may be δ, or the layer's a.
template <class T>
void BlockGradient<T>::MultiplyBySlope(const Block<T>& block, int64_t layer,
                                       MatrixView<const T> delta, std::span<const T> shift, T* out,
                                       double* bias) const {
  const T* const a = memory_.Level(block, layer + 1).data;
  const auto multiply = network_.activation(layer).shift_times_slope;
  AddLongRows(delta.rows, delta.columns, memory_.Sums(block), bias,
              [&](int64_t first, int64_t count, double* long_sums) {
                multiply(delta.data + first, shift.data(), a + first, out + first, long_sums,
                         count);
              });
}

// What ρ̂ adds to ∂/∂a of a layer, as a long row.
template <class T>
std::span<const T> BlockGradient<T>::Shift(int64_t layer) const {
  const bool in_encoder = layer < shape().depth();
  return in_encoder ? repeated_slopes_[static_cast<size_t>(layer)].span() : zeros_.span();
}

// From ∂J/∂z of `layer`'s result to that of the layer before, which takes the place of its a:
// (δ W + what penalties on a add) ∘ f′.
template <class T>
void BlockGradient<T>::PropagateBack(const Block<T>& block, int64_t layer,
                                     std::vector<double>& bias) const {
  const MatrixView<T> delta = BackThrough(block, layer);
  AddPenaltySlopes(block, layer - 1, delta);
  MultiplyBySlope(block, layer - 1, delta, Shift(layer - 1), memory_.Level(block, layer).data,
                  bias.data());
}

template <class T>
void BlockGradient<T>::MakeDeltas(const Block<T>& block, std::span<T* const> deltas, double& loss,
                                  std::span<std::vector<double>> biases) const {
  AddOutputDelta(block, loss, biases.back());
  MatrixView<T> above = memory_.Level(block, shape().layers());
  for (int64_t layer = shape().layers() - 1; layer > 0; --layer) {
    const auto below = static_cast<size_t>(layer - 1);
    const MatrixView<T> delta(deltas[below], block.range.size(), shape().width(layer));
    network_.Backward(layer, parameters_, above, delta);
    AddPenaltySlopes(block, layer - 1, delta);
    MultiplyBySlope(block, layer - 1, delta, Shift(layer - 1), delta.data, biases[below].data());
    above = delta;
  }
}

// The same for the first layer without the slope of ρ̂, and apart f′, which that is to be multiplied
// with.
template <class T>
void BlockGradient<T>::PropagateBackSplit(const Block<T>& block, GradientSums<T>& sums) const {
  const MatrixView<T> delta = BackThrough(block, 1);
  AddPenaltySlopes(block, 0, delta);
  const MatrixView<const T> a = memory_.Level(block, 1);
  const auto slope = network_.activation(0).slope_and_sum;
  AddLongRows(a.rows, a.columns, memory_.Sums(block), sums.slope_bias().data(),
              [&](int64_t first, int64_t count, double* long_sums) {
                slope(a.data + first, memory_.Slopes(block) + first, long_sums, count);
              });
  MultiplyBySlope(block, 0, delta, zeros_.span(), memory_.Level(block, 1).data,
                  sums.bias(0).data());
}

template <class T>
void BlockGradient<T>::FinishGradient(const GradientSums<T>& sums, int64_t rows,
                                      std::span<const double> rho_hat, std::span<T> flat) const {
  const Parameters<T> gradient = ViewParameters(shape(), flat);
  for (int64_t layer = 0; layer < shape().layers(); ++layer) {
    sums.Mean(layer, rows, mean_slopes_.span(), gradient[layer]);
  }
  for (int64_t layer = 0; layer < shape().layers(); ++layer) {
    if (shape().is_transposed(layer)) continue;
    AddPenaltyGradient(layer, 0, sums.rows, rows, rho_hat, gradient[layer].weight);
  }
}

template <class T>
void BlockGradient<T>::AddPenaltyGradient(int64_t layer, int64_t first_row, const RowSums& sums,
                                          int64_t rows, std::span<const double> rho_hat,
                                          MatrixView<T> gradient) const {
  const MatrixView<const T> whole = parameters_[layer].weight;
  const MatrixView<const T> weight(whole.row(first_row), gradient.rows, whole.columns);
  ForEachPenalty(sums, rows, rho_hat, [&](const Penalty<T>& penalty, const PenaltyMeans& means) {
    penalty.AddWeightGradient(layer, first_row, weight, means, gradient);
  });
}

template class BlockGradient<float>;
template class BlockGradient<double>;

}  // namespace rhohat
