#include "objective/block_gradient.h"

#include <algorithm>

#include "math/blas.h"
#include "math/kernels.h"

namespace rhohat {
namespace {

template <class T>
MatrixView<const T> RowsOf(const Block<T>& block, int64_t inputs) {
  return {block.rows.data(), block.range.size(), inputs};
}

// The widest level that gets a delta of its own on the way back.
int64_t WidestHidden(const NetworkShape& shape) { return std::ranges::max(shape.hidden); }

}  // namespace

// ---- Memory ------------------------------------------------------------------------------------

template <class T>
BlockGradient<T>::BlockGradient(const NetworkShape& shape, const NetworkOptions& network,
                                const ObjectiveOptions& options, const NoiseSource& noise,
                                Penalties<T> penalties, std::function<std::string(int64_t)> locate,
                                int64_t threads, int64_t block_rows)
    : network_(shape, network, InfoOf(options.loss).from_logits),
      loss_(options.loss, std::move(locate)),
      corruption_(options.noise, noise),
      penalties_(std::move(penalties)),
      block_rows_(block_rows),
      mean_slopes_(static_cast<size_t>(shape.encoder_units())) {
  for (const auto& penalty : penalties_) {
    statistics_ += penalty->statistics();
    has_mean_slope_ = has_mean_slope_ || penalty->has_mean_slope();
  }
  std::ranges::fill(mean_slopes_.span(), T(0));
  const auto buffer = [&](int64_t width) {
    return AlignedBuffer<T>(static_cast<size_t>(block_rows * width));
  };
  for (int64_t worker = 0; worker < threads; ++worker) {
    Workspace& workspace = workspaces_.emplace_back();
    if (!corruption_.does_nothing()) workspace.corrupted = buffer(shape.inputs);
    for (int64_t level = 1; level <= shape.layers(); ++level) {
      workspace.buffers.push_back(buffer(shape.width(level)));
      workspace.own_levels.push_back(workspace.buffers.back().data());
    }
    workspace.levels = workspace.own_levels;
    workspace.delta = buffer(WidestHidden(shape));
    workspace.row = AlignedBuffer<T>(static_cast<size_t>(shape.inputs));
  }
}

template <class T>
void BlockGradient<T>::PrepareSplit() {
  for (Workspace& workspace : workspaces_) {
    workspace.pair = AlignedBuffer<T>(static_cast<size_t>(block_rows_ * 2 * shape().width(1)));
  }
}

template <class T>
size_t BlockGradient<T>::WorkspaceBytes(const NetworkShape& shape, const ObjectiveOptions& options,
                                        int64_t block_rows, bool split) {
  int64_t width = WidestHidden(shape);
  if (options.noise.kind != NoiseKind::kNone) width += shape.inputs;
  if (split) width += 2 * shape.width(1);
  for (int64_t level = 1; level <= shape.layers(); ++level) width += shape.width(level);
  return static_cast<size_t>(block_rows * width + shape.inputs) * sizeof(T) +
         ProductWorkspaceBytes(std::max(block_rows, shape.widest()), sizeof(T));
}

template <class T>
const typename BlockGradient<T>::Workspace& BlockGradient<T>::WorkspaceOf(
    const Block<T>& block) const {
  return workspaces_[static_cast<size_t>(block.worker)];
}

// What layer level − 1 gives; level 0 is Input().
template <class T>
MatrixView<T> BlockGradient<T>::Level(const Block<T>& block, int64_t level) const {
  return {WorkspaceOf(block).levels[static_cast<size_t>(level - 1)], block.range.size(),
          shape().width(level)};
}

template <class T>
MatrixView<const T> BlockGradient<T>::Input(const Block<T>& block) const {
  if (corruption_.does_nothing()) return RowsOf(block, shape().inputs);
  return {WorkspaceOf(block).corrupted.data(), block.range.size(), shape().inputs};
}

template <class T>
std::span<T* const> BlockGradient<T>::EncoderLevels(const Block<T>& block) const {
  return std::span<T* const>(WorkspaceOf(block).levels).first(static_cast<size_t>(shape().depth()));
}

template <class T>
MatrixView<const T> BlockGradient<T>::Reconstruction(const Block<T>& block) const {
  return Level(block, shape().layers());
}

template <class T>
std::span<const T> BlockGradient<T>::EncoderRow(const Block<T>& block, int64_t layer,
                                                int64_t row) const {
  const MatrixView<const T> level = Level(block, layer + 1);
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
}

// ---- Forwards ----------------------------------------------------------------------------------

template <class T>
void BlockGradient<T>::Corrupt(const Block<T>& block) {
  if (corruption_.does_nothing()) return;
  const MatrixView<const T> rows = RowsOf(block, shape().inputs);
  T* const corrupted = WorkspaceOf(block).corrupted.data();
  for (int64_t i = 0; i < rows.rows; ++i) {
    corruption_.Apply(block.Number(i), {rows.row(i), 1, rows.columns},
                      {corrupted + i * rows.columns, 1, rows.columns});
  }
}

template <class T>
void BlockGradient<T>::PlaceLevels(const Block<T>& block, T* codes) {
  Workspace& workspace = workspaces_[static_cast<size_t>(block.worker)];
  for (int64_t layer = 0; layer < shape().depth(); ++layer) {
    const auto index = static_cast<size_t>(layer);
    workspace.levels[index] = codes == nullptr
                                  ? workspace.own_levels[index]
                                  : codes + block.range.size() * shape().encoder_offset(layer);
  }
}

template <class T>
void BlockGradient<T>::Encode(const Block<T>& block, T* codes) {
  PlaceLevels(block, codes);
  Corrupt(block);
  network_.Encode(parameters_, Input(block), EncoderLevels(block));
}

template <class T>
void BlockGradient<T>::UseEncoded(const Block<T>& block, T* codes) {
  PlaceLevels(block, codes);
  Corrupt(block);
}

template <class T>
void BlockGradient<T>::AddActivations(const Block<T>& block, RowSums& sums) const {
  const Kernels<T>& kernels = BestKernels<T>();
  for (int64_t layer = 0; layer < shape().depth(); ++layer) {
    double* const layer_sums = sums.activation.data() + shape().encoder_offset(layer);
    const MatrixView<T> level = Level(block, layer + 1);
    for (int64_t i = 0; i < level.rows; ++i) {
      kernels.add_to_sums(level.row(i), layer_sums, level.columns);
    }
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

template <class T>
void BlockGradient<T>::Decode(const Block<T>& block) const {
  const auto depth = static_cast<size_t>(shape().depth());
  network_.Decode(parameters_, Level(block, shape().depth()),
                  std::span<T* const>(WorkspaceOf(block).levels).subspan(depth));
}

// Returns ℓ; delta is ∂ℓ/∂x̂, or ∂ℓ/∂z where the loss is from logits, which become x̂.
template <class T>
double BlockGradient<T>::LossOfRow(const Block<T>& block, int64_t row, T* delta) const {
  const MatrixView<T> output = Level(block, shape().layers());
  return loss_.Apply(block.range.begin + row, output.row(row),
                     RowsOf(block, shape().inputs).row(row), delta, output.columns);
}

template <class T>
void BlockGradient<T>::AddCost(const Block<T>& block, RowSums& sums) {
  Decode(block);
  AddStatistics(block, sums);
  for (int64_t i = 0; i < block.range.size(); ++i) {
    sums.loss += LossOfRow(block, i, WorkspaceOf(block).row.data());
  }
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
  Decode(block);
  AddOutputDelta(block, sums);
  for (int64_t layer = shape().layers() - 1; layer > 0; --layer) {
    AddLayerGradient(block, layer, sums);
    PropagateBack(block, layer, sums.bias(layer - 1));
  }
  AddLayerGradient(block, 0, sums);
}

template <class T>
void BlockGradient<T>::AddSplitGradient(const Block<T>& block, GradientSums<T>& sums) {
  AddStatistics(block, sums.rows);
  Decode(block);
  AddOutputDelta(block, sums);
  for (int64_t layer = shape().layers() - 1; layer > 1; --layer) {
    AddLayerGradient(block, layer, sums);
    PropagateBack(block, layer, sums.bias(layer - 1));
  }
  AddLayerGradient(block, 1, sums);
  PropagateBackSplit(block, sums);
  const MatrixView<const T> pair(WorkspaceOf(block).pair.data(), block.range.size(),
                                 2 * shape().width(1));
  network_.AddWeightGradient(0, pair, Input(block), sums.split_weight());
}

template <class T>
void BlockGradient<T>::AddLayerGradient(const Block<T>& block, int64_t layer,
                                        GradientSums<T>& sums) const {
  const MatrixView<const T> in = layer == 0 ? Input(block) : Level(block, layer);
  network_.AddWeightGradient(layer, Level(block, layer + 1), in, sums.weight(layer));
}

// x̂ becomes ∂J/∂z of the output, row by row.
template <class T>
void BlockGradient<T>::AddOutputDelta(const Block<T>& block, GradientSums<T>& sums) const {
  const int64_t last = shape().layers() - 1;
  const MatrixView<T> output = Level(block, last + 1);
  const ActivationKernels<T>& activation = network_.activation(last);
  for (int64_t i = 0; i < output.rows; ++i) {
    T* const slope = WorkspaceOf(block).row.data();
    sums.rows.loss += LossOfRow(block, i, slope);
    if (loss_.from_logits()) {
      std::copy_n(slope, output.columns, output.row(i));
    } else {
      activation.times_slope(slope, output.row(i), output.row(i), output.columns);
    }
    BestKernels<T>().add_to_sums(output.row(i), sums.bias(last).data(), output.columns);
  }
}

// ∂J/∂a of what the layer before `layer` gives, but for the penalties' share: δ W.
template <class T>
MatrixView<T> BlockGradient<T>::BackThrough(const Block<T>& block, int64_t layer) const {
  const MatrixView<T> delta(WorkspaceOf(block).delta.data(), block.range.size(),
                            shape().width(layer));
  network_.Backward(layer, parameters_, Level(block, layer + 1), delta);
  return delta;
}

// What penalties on one row of a add, other than by way of ρ̂.
template <class T>
void BlockGradient<T>::AddPenaltySlopes(const Block<T>& block, int64_t encoder_layer, int64_t row,
                                        T* delta) const {
  for (const auto& penalty : penalties_) {
    if (!penalty->has_slope() || penalty->layer() != encoder_layer) continue;
    penalty->AddSlope(EncoderRow(block, encoder_layer, row), delta);
  }
}

// From ∂J/∂z of `layer`'s result to that of the layer before, which takes the place of its a:
// (δ W + what penalties on a add) ∘ f′.
template <class T>
void BlockGradient<T>::PropagateBack(const Block<T>& block, int64_t layer,
                                     std::vector<double>& bias) const {
  const Kernels<T>& kernels = BestKernels<T>();
  const MatrixView<T> below = Level(block, layer);
  const MatrixView<T> delta = BackThrough(block, layer);
  const int64_t encoder_layer = layer - 1;
  const bool in_encoder = encoder_layer < shape().depth();
  const ActivationKernels<T>& activation = network_.activation(layer - 1);
  for (int64_t i = 0; i < below.rows; ++i) {
    if (in_encoder) {
      if (has_mean_slope_) {
        kernels.add(mean_slopes_.data() + shape().encoder_offset(encoder_layer), delta.row(i),
                    delta.columns);
      }
      AddPenaltySlopes(block, encoder_layer, i, delta.row(i));
    }
    activation.times_slope(delta.row(i), below.row(i), below.row(i), below.columns);
    kernels.add_to_sums(below.row(i), bias.data(), below.columns);
  }
}

// The same for the first layer without the slope of ρ̂: row i of the pair becomes ∂J/∂z without it,
// and f′, which it is to be multiplied with.
template <class T>
void BlockGradient<T>::PropagateBackSplit(const Block<T>& block, GradientSums<T>& sums) const {
  const Kernels<T>& kernels = BestKernels<T>();
  const MatrixView<T> below = Level(block, 1);
  const MatrixView<T> delta = BackThrough(block, 1);
  const ActivationKernels<T>& activation = network_.activation(0);
  const int64_t units = below.columns;
  for (int64_t i = 0; i < below.rows; ++i) {
    T* const pair = WorkspaceOf(block).pair.data() + 2 * units * i;
    AddPenaltySlopes(block, 0, i, delta.row(i));
    activation.slope(below.row(i), pair + units, units);
    activation.times_slope(delta.row(i), below.row(i), pair, units);
    kernels.add_to_sums(pair, sums.bias(0).data(), units);
    kernels.add_to_sums(pair + units, sums.slope_bias().data(), units);
  }
}

template <class T>
void BlockGradient<T>::FinishGradient(const GradientSums<T>& sums, int64_t rows,
                                      std::span<const double> rho_hat, std::span<T> flat) const {
  const Parameters<T> gradient = ViewParameters(shape(), flat);
  for (int64_t layer = 0; layer < shape().layers(); ++layer) {
    sums.Mean(layer, rows, mean_slopes_.span(), gradient[layer]);
  }
  ForEachPenalty(sums.rows, rows, rho_hat,
                 [&](const Penalty<T>& penalty, const PenaltyMeans& means) {
                   penalty.AddWeightGradient(parameters_, means, gradient);
                 });
}

template class BlockGradient<float>;
template class BlockGradient<double>;

}  // namespace rhohat
