// J and its gradient on one mini-batch, on all threads, for stochastic training.
//
//   1  blocks of rows      gather, x̃ → a, Σ r(a)               then ρ̂
//   2  blocks of rows      x̂, ℓ, ∂/∂z of every layer            beside the penalties' costs
//   3  panels of weights   ∂/∂W of some rows of one W, over the whole batch; what penalties add;
//                          and its use, while the panel is in the cache
//
// Blocks and panels are cut by the batch and the network alone, and what they add up is added in
// one order: the bits do not depend on the threads (docs/math.md §10).
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/state.h"
#include "objective/block_gradient.h"
#include "rhohat/cost_terms.h"
#include "rhohat/options.h"
#include "sweep/executor.h"

namespace rhohat {

// ρ̂ as the mean over the batches so far, in which a batch counts half as much once
// `half_life_rows` more rows have been seen. It begins with the first batch's own mean.
class RunningMean {
 public:
  RunningMean(int64_t units, int64_t half_life_rows);

  // Of a batch of `rows` rows, `sums` over them.
  void Add(std::span<const double> sums, int64_t rows);

  std::vector<double> Means() const;

  void Visit(State& state);

  // Weighted sums, and the rows they stand for.
  std::vector<double> sums;
  double rows = 0;

 private:
  double half_life_rows_;
};

// Where `half_life_rows` is 0.
int64_t DefaultHalfLife(int64_t batch_rows);

// One evaluation at a time. T, float or double, is the type of parameters and products; costs and
// means are in double.
template <class T>
class BatchObjective {
 public:
  // Batches have at most `batch_rows` rows. `locate` names a row of the data set for messages, on
  // many threads. All memory is allocated here.
  BatchObjective(const NetworkShape& shape, const NetworkOptions& network,
                 const ObjectiveOptions& options, const NoiseSource& noise, Executor& executor,
                 int64_t batch_rows, std::function<std::string(int64_t)> locate);
  static size_t MemoryBytes(const NetworkShape& shape, const ObjectiveOptions& options,
                            int64_t batch_rows, int64_t threads);

  // Blocks that the rows of a batch are cut into, at most.
  static int64_t Blocks(int64_t batch_rows);
  static int64_t BlockRows(int64_t batch_rows);

  // One batch: the rows' numbers in the data set, and what copies rows [begin, end) of it, on many
  // threads at once.
  struct Batch {
    std::span<const int64_t> numbers;
    std::function<void(RowRange range, std::span<T> out)> copy_rows;
  };

  // Takes parameters [begin, begin + gradient.size()) of the gradient, on many threads; together
  // the panels, numbered [0, panels()), are all of it. May change these parameters, and no others.
  using UsePanel = std::function<void(int64_t panel, size_t begin, std::span<const T> gradient)>;

  // J at `parameters` on the batch, with ρ̂ as below. Throws Error(kBadData), naming the row, where
  // the loss is not defined for it.
  CostTerms Evaluate(const Batch& batch, std::span<const T> parameters, const UsePanel& use);

  // Where ρ̂ comes from: a running mean, which every batch is added to before it is used, or one
  // that is given (of the encoder's layers, one after another; docs/math.md §7).
  void SetRunning(RunningMean* mean) { running_ = mean; }
  void SetRhoHat(std::span<const double> rho_hat);
  std::span<const double> rho_hat() const { return rho_hat_; }
  // All that is kept from batch to batch, where ρ̂ is given.
  void Visit(State& state);

  // The noise from now on: a stochastic method has new noise in every epoch.
  void set_noise_epoch(uint32_t epoch) { gradient_.set_noise_epoch(epoch); }

  int64_t panels() const { return std::ssize(panels_); }

 private:
  struct BlockSums {
    RowSums rows;
    std::vector<std::vector<double>> biases;
  };
  // Rows [first, first + rows) of the weight that `layer` has of its own, or its bias.
  struct Panel {
    int64_t layer = 0;
    int64_t first = 0;
    int64_t rows = 0;
    bool bias = false;
    size_t begin = 0;  // in the flat vector
  };

  void PlanPanels();
  void AllocateBlocks(int64_t block_rows);
  Block<T> BlockOf(int64_t index) const;
  void Encode(int64_t block);
  void UpdateRhoHat();
  void MakePanel(int64_t number, const UsePanel& use);
  void MakeWeights(const Panel& panel, MatrixView<T> out) const;
  void MakeBiases(const Panel& panel, std::span<T> out) const;
  MatrixView<const T> Given(int64_t layer) const;
  MatrixView<const T> Delta(int64_t layer) const;

  NetworkShape shape_;
  Activation activation_;
  Executor& executor_;
  int64_t block_rows_;
  BlockGradient<T> gradient_;
  std::vector<Panel> panels_;

  // Of the whole batch, B×width.
  AlignedBuffer<T> rows_;
  AlignedBuffer<T> corrupted_;            // where there is noise
  std::vector<AlignedBuffer<T>> levels_;  // what each layer gives; the last becomes its ∂/∂z
  std::vector<AlignedBuffer<T>> deltas_;  // ∂/∂z of the others
  std::vector<std::vector<T*>> delta_places_;  // of each block
  std::vector<BlockSums> block_sums_;
  AlignedBuffer<T> panel_memory_;  // of the panels' gradients

  RunningMean* running_ = nullptr;
  std::vector<double> rho_hat_;
  RowSums sums_;  // of the batch

  const Batch* batch_ = nullptr;  // during an evaluation
  int64_t count_ = 0;             // its rows
};

}  // namespace rhohat
