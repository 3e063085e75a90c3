#include "objective/objective.h"

#include "math/blas.h"
#include "math/kernels.h"
#include "objective/sparsity.h"
#include "objective/weight_decay.h"

namespace rhohat {
namespace {

template <class T>
MatrixView<const T> RowsOf(const Block<T>& block, int64_t inputs) {
  return {block.rows.data(), block.range.size(), inputs};
}

// gradient = sums / rows + λ · weight.
template <class T>
void MeanPlusDecay(MatrixView<T> sums, int64_t rows, double lambda, MatrixView<const T> weight,
                   MatrixView<T> gradient) {
  const double mean = 1.0 / static_cast<double>(rows);
  for (int64_t i = 0; i < gradient.size(); ++i) {
    gradient.data[i] = static_cast<T>(static_cast<double>(sums.data[i]) * mean +
                                      lambda * static_cast<double>(weight.data[i]));
  }
}

template <class T>
void Mean(std::span<const double> sums, int64_t rows, std::span<T> gradient) {
  const double mean = 1.0 / static_cast<double>(rows);
  for (size_t i = 0; i < sums.size(); ++i) gradient[i] = static_cast<T>(sums[i] * mean);
}

}  // namespace

template <class T>
Objective<T>::Objective(const NetworkShape& shape, const NetworkOptions& network,
                        const ObjectiveOptions& options, Sweep<T>& sweep)
    : network_(shape, network),
      options_(options),
      loss_(FunctionsOf<T>(options.loss)),
      sweep_(sweep),
      activation_lanes_(static_cast<size_t>(sweep.lanes()), ActivationSums(shape)),
      rho_hat_(static_cast<size_t>(shape.hidden)),
      sparsity_slope_(static_cast<size_t>(shape.hidden)) {
  for (int64_t lane = 0; lane < sweep.lanes(); ++lane) gradient_lanes_.emplace_back(shape);
  const int64_t block = sweep.block_rows();
  const auto code_size = static_cast<size_t>(block * shape.hidden);
  const auto inputs = static_cast<size_t>(shape.inputs);
  for (int64_t worker = 0; worker < sweep.threads(); ++worker) {
    workspaces_.push_back({AlignedBuffer<T>(code_size),
                           AlignedBuffer<T>(static_cast<size_t>(block) * inputs),
                           AlignedBuffer<T>(code_size), AlignedBuffer<T>(inputs)});
  }
}

template <class T>
size_t Objective<T>::LaneBytes(const NetworkShape& shape) {
  return GradientSums<T>::MemoryBytes(shape) + static_cast<size_t>(shape.hidden) * sizeof(double);
}

template <class T>
size_t Objective<T>::WorkspaceBytes(const NetworkShape& shape, int64_t block_rows) {
  const auto values = static_cast<size_t>(block_rows * (2 * shape.hidden + shape.inputs));
  return (values + static_cast<size_t>(shape.inputs)) * sizeof(T) +
         ProductWorkspaceBytes(std::max({block_rows, shape.hidden, shape.inputs}), sizeof(T));
}

template <class T>
MatrixView<T> Objective<T>::Encode(const Parameters<const T>& parameters, const Block<T>& block) {
  const Workspace& workspace = workspaces_[static_cast<size_t>(block.worker)];
  const MatrixView<T> code(workspace.code.data(), block.range.size(), shape().hidden);
  network_.Encode(parameters, RowsOf(block, shape().inputs), code);
  return code;
}

template <class T>
MatrixView<T> Objective<T>::Reconstruct(const Parameters<const T>& parameters,
                                        MatrixView<const T> code, const Block<T>& block) {
  const Workspace& workspace = workspaces_[static_cast<size_t>(block.worker)];
  const MatrixView<T> reconstruction(workspace.reconstruction.data(), code.rows, shape().inputs);
  network_.Decode(parameters, code, reconstruction);
  return reconstruction;
}

template <class T>
void Objective<T>::SetRhoHat(const ActivationSums& sums) {
  MeanActivation(sums.activation, sweep_.rows(), rho_hat_);
  extreme_units_ = CountExtremeUnits<T>(rho_hat_);
}

template <class T>
CostTerms Objective<T>::EvaluateWithGradient(std::span<const T> flat, std::span<T> gradient) {
  const Parameters<const T> parameters = ViewParameters(shape(), flat);
  const Kernels<T>& kernels = BestKernels<T>();
  SetRhoHat(
      sweep_.Run(std::span(activation_lanes_), [&](const Block<T>& block, ActivationSums& sums) {
        const MatrixView<T> code = Encode(parameters, block);
        for (int64_t i = 0; i < code.rows; ++i) {
          kernels.add_to_sums(code.row(i), sums.activation.data(), code.columns);
        }
      }));
  SparsitySlope<T>(options_.rho, options_.beta, rho_hat_, sparsity_slope_.span());
  const GradientSums<T>& sums =
      sweep_.Run(std::span(gradient_lanes_), [&](const Block<T>& block, GradientSums<T>& lane) {
        AddBlockGradient(parameters, block, lane);
      });
  FinishGradient(parameters, sums, gradient);
  return Cost(parameters, sums.loss);
}

// docs/math.md §3, for the rows of one block.
template <class T>
void Objective<T>::AddBlockGradient(const Parameters<const T>& parameters, const Block<T>& block,
                                    GradientSums<T>& sums) {
  const Kernels<T>& kernels = BestKernels<T>();
  const Workspace& workspace = workspaces_[static_cast<size_t>(block.worker)];
  const MatrixView<const T> rows = RowsOf(block, shape().inputs);
  const MatrixView<T> code = Encode(parameters, block);
  const MatrixView<T> reconstruction = Reconstruct(parameters, code, block);

  // x̂ becomes δ3 = ∂ℓ/∂x̂ ∘ g′, row by row.
  const MatrixView<T> delta3 = reconstruction;
  for (int64_t i = 0; i < rows.rows; ++i) {
    T* const slope = workspace.row.data();
    sums.loss += loss_.slope_and_cost(reconstruction.row(i), rows.row(i), slope, rows.columns);
    network_.decoder().times_slope(slope, reconstruction.row(i), delta3.row(i), rows.columns);
    kernels.add_to_sums(delta3.row(i), sums.decoder_bias.data(), rows.columns);
  }
  AddTransposedProduct<T>(delta3, code, sums.decoder_weight());

  // δ2 = (δ3 W2 + β s) ∘ f′.
  const MatrixView<T> delta2(workspace.hidden_delta.data(), code.rows, code.columns);
  Multiply<T>(delta3, parameters.decoder_weight, delta2);
  for (int64_t i = 0; i < code.rows; ++i) {
    kernels.add(sparsity_slope_.data(), delta2.row(i), code.columns);
    network_.encoder().times_slope(delta2.row(i), code.row(i), delta2.row(i), code.columns);
    kernels.add_to_sums(delta2.row(i), sums.encoder_bias.data(), code.columns);
  }
  AddTransposedProduct<T>(delta2, rows, sums.encoder_weight());
}

template <class T>
void Objective<T>::FinishGradient(const Parameters<const T>& parameters,
                                  const GradientSums<T>& sums, std::span<T> flat) const {
  const Parameters<T> gradient = ViewParameters(shape(), flat);
  const int64_t rows = sweep_.rows();
  MeanPlusDecay(sums.encoder_weight(), rows, options_.lambda, parameters.encoder_weight,
                gradient.encoder_weight);
  MeanPlusDecay(sums.decoder_weight(), rows, options_.lambda, parameters.decoder_weight,
                gradient.decoder_weight);
  Mean<T>(sums.encoder_bias, rows, gradient.encoder_bias);
  Mean<T>(sums.decoder_bias, rows, gradient.decoder_bias);
}

template <class T>
CostTerms Objective<T>::Cost(const Parameters<const T>& parameters, double loss) const {
  CostTerms cost;
  cost.reconstruction = loss / static_cast<double>(sweep_.rows());
  cost.weight_decay = WeightDecayCost(options_.lambda, parameters);
  cost.sparsity = SparsityCost(options_.rho, options_.beta, rho_hat_);
  return cost;
}

template <class T>
CostTerms Objective<T>::Evaluate(std::span<const T> flat) {
  const Parameters<const T> parameters = ViewParameters(shape(), flat);
  const Kernels<T>& kernels = BestKernels<T>();
  const ActivationSums& total =
      sweep_.Run(std::span(activation_lanes_), [&](const Block<T>& block, ActivationSums& sums) {
        const MatrixView<const T> rows = RowsOf(block, shape().inputs);
        const MatrixView<T> code = Encode(parameters, block);
        const MatrixView<T> reconstruction = Reconstruct(parameters, code, block);
        T* const slope = workspaces_[static_cast<size_t>(block.worker)].row.data();
        for (int64_t i = 0; i < rows.rows; ++i) {
          kernels.add_to_sums(code.row(i), sums.activation.data(), code.columns);
          sums.loss +=
              loss_.slope_and_cost(reconstruction.row(i), rows.row(i), slope, rows.columns);
        }
      });
  SetRhoHat(total);
  return Cost(parameters, total.loss);
}

template class Objective<float>;
template class Objective<double>;

}  // namespace rhohat
