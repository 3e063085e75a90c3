// The objective on one block of rows: forwards, the loss, what is added up, and backwards.
//
// Everything that J and its gradient take of a row is here, and nothing of how rows come by: the
// schedules (objective.h) and mini-batches use it alike. For each block of a gradient
//
//   Encode            x̃ → a                     (docs/math.md §3)
//   AddActivations    Σ r(a), for ρ̂
//   AddGradient       x̂, ℓ, and back: Σ ∂/∂W, Σ ∂/∂b
//
// Each row's ∂/∂a holds β s, which ρ̂ has to be known for. AddGradient() takes it from SetRhoHat();
// AddSplitGradient() leaves it out and adds up what it is to be multiplied with, so that ρ̂ may be
// known later.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/aligned_buffer.h"
#include "network/autoencoder.h"
#include "network/corruption.h"
#include "network/forward_parameters.h"
#include "network/parameters.h"
#include "objective/block_memory.h"
#include "objective/penalty.h"
#include "objective/row_loss.h"
#include "objective/sums.h"
#include "rhohat/cost_terms.h"
#include "rhohat/options.h"
#include "sweep/sweep.h"

namespace rhohat {

// Functions of a block are called by many threads, by one at a time for each `block.worker`; the
// others by one thread, between blocks. T, float or double, is the type of parameters and products;
// costs and means are in double.
template <class T>
class BlockGradient {
 public:
  // `threads` and `block_rows` bound block.worker and the rows of a block. `locate` names a row by
  // its place in the sweep (range.begin + i) for messages, on many threads. All memory is allocated
  // here.
  BlockGradient(const NetworkShape& shape, const NetworkOptions& network,
                const ObjectiveOptions& options, const NoiseSource& noise, Penalties<T> penalties,
                std::function<std::string(int64_t)> locate, int64_t threads, int64_t block_rows);

  // What it allocates for each thread, BLAS included.
  static size_t WorkspaceBytes(const NetworkShape& shape, const ObjectiveOptions& options,
                               int64_t block_rows, bool split);

  // Also allocates what AddSplitGradient() needs.
  void PrepareSplit() { memory_.PrepareSplit(); }

  const NetworkShape& shape() const { return network_.shape(); }
  int64_t statistics() const { return statistics_; }

  // Whether some penalty depends on ρ̂, so that the gradient wants it before the rows.
  bool has_mean_slope() const { return has_mean_slope_; }

  // What follows is computed at these parameters, which must outlive it.
  void SetParameters(std::span<const T> flat);

  // Of the encoder's layers, one after another.
  void SetRhoHat(std::span<const double> rho_hat);

  // The noise from now on: see Corruption.
  void set_noise_epoch(uint32_t epoch) { corruption_.set_epoch(epoch); }

  // Leaves the activations of the encoder's layers in `codes`, B × encoder units (layer after
  // layer), which the calls for this block that follow use, and spoil; null: in memory of its own.
  void Encode(const Block<T>& block, T* codes = nullptr);

  // In place of Encode(), where `codes` has what that left there.
  void UseEncoded(const Block<T>& block, T* codes);

  void AddActivations(const Block<T>& block, RowSums& sums) const;

  // The rest of what J is a function of: ℓ, and the penalties' statistics.
  void AddCost(const Block<T>& block, RowSums& sums);

  // After Encode(): adds all but Σ r(a).
  void AddGradient(const Block<T>& block, GradientSums<T>& sums);

  // The same without the slope of ρ̂, adding up f′ x̃ᵀ and f′ of the first layer as well:
  // `sums` is split, PrepareSplit() was called.
  void AddSplitGradient(const Block<T>& block, GradientSums<T>& sums);

  // For gradients of which the products that make ∂/∂W are made elsewhere, of several blocks at
  // once: the levels are in the caller's memory from now on, and the object can be made with
  // block_rows = 0. See BlockMemory::Use().
  void SetMemory(int64_t worker, std::span<T* const> levels, T* corrupted) {
    memory_.Use(worker, levels, corrupted);
  }

  // The penalties' statistics alone, after Encode().
  void AddStatistics(const Block<T>& block, RowSums& sums) const;

  // After Encode(): ∂/∂z of what each layer gives becomes deltas[layer] (B×width), but for the last
  // layer's, which takes the place of x̂. Adds ℓ to `loss` and each layer's Σ ∂/∂b to biases[layer].
  void MakeDeltas(const Block<T>& block, std::span<T* const> deltas, double& loss,
                  std::span<std::vector<double>> biases) const;

  // The noisy rows, or the block's own.
  MatrixView<const T> Input(const Block<T>& block) const;

  // Adds the penalties' part of ∂J/∂W: see Penalty::AddWeightGradient().
  void AddPenaltyGradient(int64_t layer, int64_t first_row, const RowSums& sums, int64_t rows,
                          std::span<const double> rho_hat, MatrixView<T> gradient) const;

  // What the block came to: of the encoder's layers, and x̂. After AddCost().
  std::span<T* const> EncoderLevels(const Block<T>& block) const {
    return memory_.EncoderLevels(block);
  }
  MatrixView<const T> Reconstruction(const Block<T>& block) const;

  // J, of sums over `rows` rows with the mean activations `rho_hat`.
  CostTerms Cost(const RowSums& sums, int64_t rows, std::span<const double> rho_hat) const;

  // ∇J of sums over `rows` rows; of split ones, with what SetRhoHat() said.
  void FinishGradient(const GradientSums<T>& sums, int64_t rows, std::span<const double> rho_hat,
                      std::span<T> gradient) const;

 private:
  std::span<const T> EncoderRow(const Block<T>& block, int64_t layer, int64_t row) const;
  std::span<const double> OfLayer(std::span<const double> rho_hat, int64_t layer) const;

  void Corrupt(const Block<T>& block);
  void AddLoss(const Block<T>& block, RowSums& sums) const;
  void AddOutputDelta(const Block<T>& block, double& loss, std::vector<double>& bias) const;
  void AddLayerGradient(const Block<T>& block, int64_t layer, GradientSums<T>& sums) const;
  MatrixView<T> BackThrough(const Block<T>& block, int64_t layer) const;
  void AddPenaltySlopes(const Block<T>& block, int64_t encoder_layer, MatrixView<T> delta) const;
  std::span<const T> Shift(int64_t layer) const;
  void MultiplyBySlope(const Block<T>& block, int64_t layer, MatrixView<const T> delta,
                       std::span<const T> shift, T* out, double* bias) const;
  void PropagateBack(const Block<T>& block, int64_t layer, std::vector<double>& bias) const;
  void PropagateBackSplit(const Block<T>& block, GradientSums<T>& sums) const;

  // Calls function(penalty, its means), in order.
  template <class Function>
  void ForEachPenalty(const RowSums& sums, int64_t rows, std::span<const double> rho_hat,
                      const Function& function) const;

  Autoencoder<T> network_;
  RowLoss<T> loss_;
  Corruption<T> corruption_;
  Penalties<T> penalties_;
  int64_t statistics_ = 0;
  bool has_mean_slope_ = false;
  Parameters<const T> parameters_;
  ForwardParameters<T> forward_;  // the same, for the way forwards
  Activation decoder_;            // what the last layer's function is
  AlignedBuffer<T> mean_slopes_;  // encoder units: what each row's ∂/∂a gets for ρ̂'s sake
  // For each layer before the last, repeated to a long row: the same; 0 in the decoder.
  std::vector<AlignedBuffer<T>> repeated_slopes_;
  AlignedBuffer<T> zeros_;  // a long row
  BlockMemory<T> memory_;
};

}  // namespace rhohat
