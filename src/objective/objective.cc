#include "objective/objective.h"

#include <algorithm>

#include "math/blas.h"
#include "math/kernels.h"
#include "objective/sparsity.h"

namespace rhohat {
namespace {

template <class T>
MatrixView<const T> RowsOf(const Block<T>& block, int64_t inputs) {
  return {block.rows.data(), block.range.size(), inputs};
}

// gradient = sums / rows.
template <class Sum, class T>
void Mean(std::span<const Sum> sums, int64_t rows, std::span<T> gradient) {
  const double mean = 1.0 / static_cast<double>(rows);
  for (size_t i = 0; i < sums.size(); ++i) {
    gradient[i] = static_cast<T>(static_cast<double>(sums[i]) * mean);
  }
}

// The widest level that gets a delta of its own on the way back.
int64_t WidestHidden(const NetworkShape& shape) { return std::ranges::max(shape.hidden); }

}  // namespace

// ---- Memory ------------------------------------------------------------------------------------

template <class T>
Objective<T>::Objective(const NetworkShape& shape, const NetworkOptions& network,
                        const ObjectiveOptions& options, const NoiseSource& noise, Sweep<T>& sweep)
    : Objective(shape, network, options, noise, MakePenalties<T>(options, network, shape), sweep) {}

template <class T>
Objective<T>::Objective(const NetworkShape& shape, const NetworkOptions& network,
                        const ObjectiveOptions& options, const NoiseSource& noise,
                        Penalties<T> penalties, Sweep<T>& sweep)
    : network_(shape, network, InfoOf(options.loss).from_logits),
      activation_(network.activation),
      loss_(options.loss, [&sweep](int64_t row) { return sweep.Locate(row); }),
      corruption_(options.noise, noise),
      penalties_(std::move(penalties)),
      sweep_(sweep),
      rho_hat_(static_cast<size_t>(shape.encoder_units())),
      mean_slopes_(rho_hat_.size()) {
  for (const auto& penalty : penalties_) {
    statistics_ += penalty->statistics();
    has_mean_slope_ = has_mean_slope_ || penalty->has_mean_slope();
  }
  row_lanes_.assign(static_cast<size_t>(sweep.lanes()), RowSums(shape, statistics_));
  AllocateWorkspaces();
}

template <class T>
void Objective<T>::AllocateWorkspaces() {
  const int64_t block = sweep_.block_rows();
  const auto buffer = [&](int64_t width) {
    return AlignedBuffer<T>(static_cast<size_t>(block * width));
  };
  for (int64_t worker = 0; worker < sweep_.threads(); ++worker) {
    Workspace& workspace = workspaces_.emplace_back();
    if (!corruption_.does_nothing()) workspace.corrupted = buffer(shape().inputs);
    for (int64_t level = 1; level <= shape().layers(); ++level) {
      workspace.buffers.push_back(buffer(shape().width(level)));
      workspace.levels.push_back(workspace.buffers.back().data());
    }
    workspace.delta = buffer(WidestHidden(shape()));
    workspace.row = AlignedBuffer<T>(static_cast<size_t>(shape().inputs));
  }
}

template <class T>
void Objective<T>::AllocateGradientLanes() {
  for (int64_t lane = 0; lane < sweep_.lanes(); ++lane) {
    gradient_lanes_.emplace_back(shape(), statistics_);
  }
}

template <class T>
size_t Objective<T>::LaneBytes(const NetworkShape& shape) {
  return GradientSums<T>::MemoryBytes(shape) + 2 * CostLaneBytes(shape);
}

// Sums for ρ̂ and the penalties' statistics, of which there are at most two for each unit.
template <class T>
size_t Objective<T>::CostLaneBytes(const NetworkShape& shape) {
  return static_cast<size_t>(3 * shape.encoder_units()) * sizeof(double);
}

template <class T>
size_t Objective<T>::WorkspaceBytes(const NetworkShape& shape, const ObjectiveOptions& options,
                                    int64_t block_rows) {
  int64_t width = WidestHidden(shape);
  if (options.noise.kind != NoiseKind::kNone) width += shape.inputs;
  for (int64_t level = 1; level <= shape.layers(); ++level) width += shape.width(level);
  return static_cast<size_t>(block_rows * width + shape.inputs) * sizeof(T) +
         ProductWorkspaceBytes(std::max(block_rows, shape.widest()), sizeof(T));
}

template <class T>
typename Objective<T>::Workspace& Objective<T>::WorkspaceOf(const Block<T>& block) {
  return workspaces_[static_cast<size_t>(block.worker)];
}

// What layer level − 1 gives; level 0 is Input().
template <class T>
MatrixView<T> Objective<T>::Level(const Block<T>& block, int64_t level) {
  return {WorkspaceOf(block).levels[static_cast<size_t>(level - 1)], block.range.size(),
          shape().width(level)};
}

template <class T>
MatrixView<const T> Objective<T>::Input(const Block<T>& block) {
  if (corruption_.does_nothing()) return RowsOf(block, shape().inputs);
  return {WorkspaceOf(block).corrupted.data(), block.range.size(), shape().inputs};
}

template <class T>
std::span<T* const> Objective<T>::EncoderLevels(const Block<T>& block) {
  return std::span<T* const>(WorkspaceOf(block).levels).first(static_cast<size_t>(shape().depth()));
}

template <class T>
std::span<const T> Objective<T>::EncoderRow(const Block<T>& block, int64_t layer, int64_t row) {
  const MatrixView<const T> level = Level(block, layer + 1);
  return {level.row(row), static_cast<size_t>(level.columns)};
}

template <class T>
std::span<const double> Objective<T>::RhoHatOf(int64_t layer) const {
  return std::span(rho_hat_).subspan(static_cast<size_t>(shape().encoder_offset(layer)),
                                     static_cast<size_t>(shape().width(layer + 1)));
}

// ---- Forwards ----------------------------------------------------------------------------------

template <class T>
void Objective<T>::RunEncoder(const Parameters<const T>& parameters, const Block<T>& block) {
  if (!corruption_.does_nothing()) {
    const MatrixView<T> corrupted(WorkspaceOf(block).corrupted.data(), block.range.size(),
                                  shape().inputs);
    corruption_.Apply(block.range.begin, RowsOf(block, shape().inputs), corrupted);
  }
  network_.Encode(parameters, Input(block), EncoderLevels(block));
}

template <class T>
void Objective<T>::AddActivations(const Block<T>& block, RowSums& sums) {
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
void Objective<T>::AddStatistics(const Block<T>& block, RowSums& sums) {
  double* next = sums.statistics.data();
  for (const auto& penalty : penalties_) {
    if (penalty->statistics() == 0) continue;
    for (int64_t i = 0; i < block.range.size(); ++i) {
      penalty->AddRow(EncoderRow(block, penalty->layer(), i), next);
    }
    next += penalty->statistics();
  }
}

// Returns ℓ; delta is ∂ℓ/∂x̂, or ∂ℓ/∂z where the loss is from logits, which become x̂.
template <class T>
double Objective<T>::LossOfRow(const Block<T>& block, int64_t row, T* delta) {
  const MatrixView<T> output = Level(block, shape().layers());
  return loss_.Apply(block.range.begin + row, output.row(row),
                     RowsOf(block, shape().inputs).row(row), delta, output.columns);
}

template <class T>
void Objective<T>::SetParameters(const Parameters<const T>& parameters) {
  for (const auto& penalty : penalties_) penalty->SetParameters(parameters);
}

template <class T>
void Objective<T>::SetRhoHat(std::span<const double> activation_sums) {
  MeanActivation(activation_sums, sweep_.rows(), activation_, rho_hat_);
  extreme_units_ = CountExtremeUnits<T>(rho_hat_, activation_);
  std::ranges::fill(mean_slopes_.span(), T(0));
  for (const auto& penalty : penalties_) {
    if (!penalty->has_mean_slope()) continue;
    const std::span<const double> rho_hat = RhoHatOf(penalty->layer());
    const auto offset = static_cast<size_t>(shape().encoder_offset(penalty->layer()));
    penalty->AddMeanSlope(rho_hat, mean_slopes_.span().subspan(offset, rho_hat.size()));
  }
}

// A lane's sums with those of a watcher.
template <class T>
struct Objective<T>::WatchedSums {
  RowSums* sums;
  ForwardWatcher<T>* watcher;
  int64_t lane;

  void Clear() {
    sums->Clear();
    if (watcher != nullptr) watcher->Clear(lane);
  }
  void Add(const WatchedSums& other) {
    sums->Add(*other.sums);
    if (watcher != nullptr) watcher->Combine(lane, other.lane);
  }
};

template <class T>
CostTerms Objective<T>::Evaluate(std::span<const T> flat, ForwardWatcher<T>* watcher) {
  const Parameters<const T> parameters = ViewParameters(shape(), flat);
  SetParameters(parameters);
  std::vector<WatchedSums> lanes;
  for (RowSums& sums : row_lanes_) lanes.push_back({&sums, watcher, std::ssize(lanes)});
  sweep_.Run(std::span(lanes), [&](const Block<T>& block, WatchedSums& lane) {
    RunEncoder(parameters, block);
    const MatrixView<const T> code = Level(block, shape().depth());
    network_.Decode(parameters, code,
                    std::span<T* const>(WorkspaceOf(block).levels)
                        .subspan(static_cast<size_t>(shape().depth())));
    AddActivations(block, *lane.sums);
    AddStatistics(block, *lane.sums);
    for (int64_t i = 0; i < block.range.size(); ++i) {
      lane.sums->loss += LossOfRow(block, i, WorkspaceOf(block).row.data());
    }
    if (watcher != nullptr) {
      watcher->AddBlock(lane.lane, {RowsOf(block, shape().inputs), EncoderLevels(block),
                                    Level(block, shape().layers())});
    }
  });
  SetRhoHat(row_lanes_[0].activation);
  return Cost(parameters, row_lanes_[0]);
}

template <class T>
template <class Function>
void Objective<T>::ForEachPenalty(const RowSums& sums, const Function& function) const {
  std::vector<double> means(sums.statistics.size());
  Mean<double, double>(sums.statistics, sweep_.rows(), means);
  std::span<const double> rest = means;
  for (const auto& penalty : penalties_) {
    const auto count = static_cast<size_t>(penalty->statistics());
    function(*penalty, PenaltyMeans{RhoHatOf(penalty->layer()), rest.first(count)});
    rest = rest.subspan(count);
  }
}

template <class T>
CostTerms Objective<T>::Cost(const Parameters<const T>& parameters, const RowSums& sums) const {
  CostTerms cost;
  cost.reconstruction = sums.loss / static_cast<double>(sweep_.rows());
  ForEachPenalty(sums, [&](const Penalty<T>& penalty, const PenaltyMeans& means) {
    cost.*penalty.term() += penalty.Cost(parameters, means);
  });
  return cost;
}

// ---- Backwards ---------------------------------------------------------------------------------

template <class T>
CostTerms Objective<T>::EvaluateWithGradient(std::span<const T> flat, std::span<T> gradient) {
  const Parameters<const T> parameters = ViewParameters(shape(), flat);
  SetParameters(parameters);
  if (gradient_lanes_.empty()) AllocateGradientLanes();
  if (has_mean_slope_) {
    SetRhoHat(sweep_
                  .Run(std::span(row_lanes_),
                       [&](const Block<T>& block, RowSums& sums) {
                         RunEncoder(parameters, block);
                         AddActivations(block, sums);
                       })
                  .activation);
  }
  const GradientSums<T>& sums =
      sweep_.Run(std::span(gradient_lanes_), [&](const Block<T>& block, GradientSums<T>& lane) {
        AddBlockGradient(parameters, block, lane);
      });
  if (!has_mean_slope_) SetRhoHat(sums.rows.activation);
  FinishGradient(parameters, sums, gradient);
  return Cost(parameters, sums.rows);
}

// docs/math.md §3, for the rows of one block.
template <class T>
void Objective<T>::AddBlockGradient(const Parameters<const T>& parameters, const Block<T>& block,
                                    GradientSums<T>& sums) {
  RunEncoder(parameters, block);
  if (!has_mean_slope_) AddActivations(block, sums.rows);
  AddStatistics(block, sums.rows);
  const int64_t layers = shape().layers();
  network_.Decode(
      parameters, Level(block, shape().depth()),
      std::span<T* const>(WorkspaceOf(block).levels).subspan(static_cast<size_t>(shape().depth())));
  AddOutputDelta(block, sums);
  for (int64_t layer = layers - 1; layer >= 0; --layer) {
    const MatrixView<const T> in = layer == 0 ? Input(block) : Level(block, layer);
    network_.AddWeightGradient(layer, Level(block, layer + 1), in, sums.weight(layer));
    if (layer > 0) PropagateBack(layer, parameters, block, sums.bias(layer - 1));
  }
}

// x̂ becomes ∂J/∂z of the output, row by row.
template <class T>
void Objective<T>::AddOutputDelta(const Block<T>& block, GradientSums<T>& sums) {
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

// From ∂J/∂z of `layer`'s result to that of the layer before, which takes the place of its a:
// (δ W + what penalties on a add) ∘ f′.
template <class T>
void Objective<T>::PropagateBack(int64_t layer, const Parameters<const T>& parameters,
                                 const Block<T>& block, std::vector<double>& bias) {
  const Kernels<T>& kernels = BestKernels<T>();
  const MatrixView<T> below = Level(block, layer);
  const MatrixView<T> delta(WorkspaceOf(block).delta.data(), below.rows, below.columns);
  network_.Backward(layer, parameters, Level(block, layer + 1), delta);
  const int64_t encoder_layer = layer - 1;
  const bool in_encoder = encoder_layer < shape().depth();
  const ActivationKernels<T>& activation = network_.activation(layer - 1);
  for (int64_t i = 0; i < below.rows; ++i) {
    if (in_encoder) {
      if (has_mean_slope_) {
        kernels.add(mean_slopes_.data() + shape().encoder_offset(encoder_layer), delta.row(i),
                    delta.columns);
      }
      for (const auto& penalty : penalties_) {
        if (!penalty->has_slope() || penalty->layer() != encoder_layer) continue;
        penalty->AddSlope({below.row(i), static_cast<size_t>(below.columns)}, delta.row(i));
      }
    }
    activation.times_slope(delta.row(i), below.row(i), below.row(i), below.columns);
    kernels.add_to_sums(below.row(i), bias.data(), below.columns);
  }
}

template <class T>
void Objective<T>::FinishGradient(const Parameters<const T>& parameters,
                                  const GradientSums<T>& sums, std::span<T> flat) const {
  const Parameters<T> gradient = ViewParameters(shape(), flat);
  const int64_t rows = sweep_.rows();
  for (int64_t layer = 0; layer < shape().layers(); ++layer) {
    if (!shape().is_transposed(layer)) {
      Mean<T, T>(sums.weight(layer).flat(), rows, gradient[layer].weight.flat());
    }
    Mean<double, T>(sums.bias(layer), rows, gradient[layer].bias);
  }
  ForEachPenalty(sums.rows, [&](const Penalty<T>& penalty, const PenaltyMeans& means) {
    penalty.AddWeightGradient(parameters, means, gradient);
  });
}

template class Objective<float>;
template class Objective<double>;

}  // namespace rhohat
