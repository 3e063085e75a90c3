// The exact J and its gradient over every row (docs/math.md §2 and §3).
//
// A penalty on ρ̂, a mean over all rows, is part of the gradient of every single row: so pass 1
// streams all rows for ρ̂ and throws the activations away, and pass 2 streams them again for forward
// and backward. J alone takes one pass, and so does the gradient where nothing depends on ρ̂.
#pragma once

#include <span>
#include <vector>

#include "base/aligned_buffer.h"
#include "network/autoencoder.h"
#include "network/corruption.h"
#include "network/parameters.h"
#include "objective/penalty.h"
#include "objective/row_loss.h"
#include "objective/sums.h"
#include "rhohat/cost_terms.h"
#include "rhohat/options.h"
#include "sweep/sweep.h"

namespace rhohat {

// Sees every block on its way forwards, and adds up something of its own in the sweep's lanes.
template <class T>
class ForwardWatcher {
 public:
  // One block: the rows as they should be (B×n), the activations of each of the encoder's layers,
  // and the reconstruction (B×n).
  struct View {
    MatrixView<const T> rows;
    std::span<T* const> encoder_levels;
    MatrixView<const T> reconstruction;
  };

  virtual ~ForwardWatcher() = default;
  virtual void Clear(int64_t lane) = 0;
  virtual void AddBlock(int64_t lane, const View& view) = 0;
  virtual void Combine(int64_t into, int64_t from) = 0;
};

// One evaluation at a time. T, float or double, is the type of parameters and products; costs and
// means are in double.
template <class T>
class Objective {
 public:
  // `sweep` must outlive the objective. All memory is allocated here, but for the gradient's sums,
  // which wait for the first gradient.
  Objective(const NetworkShape& shape, const NetworkOptions& network,
            const ObjectiveOptions& options, const NoiseSource& noise, Sweep<T>& sweep);
  // The same with penalties of one's own choice.
  Objective(const NetworkShape& shape, const NetworkOptions& network,
            const ObjectiveOptions& options, const NoiseSource& noise, Penalties<T> penalties,
            Sweep<T>& sweep);

  // What an objective allocates, beside the sweep's own.
  static size_t LaneBytes(const NetworkShape& shape);      // a lane
  static size_t CostLaneBytes(const NetworkShape& shape);  // a lane where J alone is asked for
  static size_t WorkspaceBytes(const NetworkShape& shape, const ObjectiveOptions& options,
                               int64_t block_rows);  // a thread

  // J at `parameters`, and its gradient (both shape.parameters() long, docs/math.md §3). Throws
  // Error(kBadData), naming the row, where the loss is not defined for it.
  CostTerms EvaluateWithGradient(std::span<const T> parameters, std::span<T> gradient);

  // J alone; the same bits as above. `watcher` may be null.
  CostTerms Evaluate(std::span<const T> parameters, ForwardWatcher<T>* watcher = nullptr);

  // Passes over the rows that one gradient takes.
  int64_t passes() const { return has_mean_slope_ ? 2 : 1; }

  // Mean activations of the last evaluation, of the encoder's layers one after another, and how
  // many are 0 or 1 to rounding.
  std::span<const double> rho_hat() const { return rho_hat_; }
  int64_t extreme_units() const { return extreme_units_; }

  const NetworkShape& shape() const { return network_.shape(); }

 private:
  // One thread's scratch memory for a block.
  struct Workspace {
    AlignedBuffer<T> corrupted;             // B×n: x̃, where there is noise
    std::vector<AlignedBuffer<T>> buffers;  // of `levels`
    std::vector<T*> levels;  // what each layer gives, B×width: a, …, x̂; then ∂/∂z
    AlignedBuffer<T> delta;  // B×widest hidden layer: ∂/∂a
    AlignedBuffer<T> row;    // n: ∂ℓ/∂x̂ of one row
  };
  struct WatchedSums;

  void AllocateWorkspaces();
  void AllocateGradientLanes();
  Workspace& WorkspaceOf(const Block<T>& block);
  MatrixView<const T> Input(const Block<T>& block);
  MatrixView<T> Level(const Block<T>& block, int64_t level);
  std::span<T* const> EncoderLevels(const Block<T>& block);
  std::span<const T> EncoderRow(const Block<T>& block, int64_t layer, int64_t row);
  void RunEncoder(const Parameters<const T>& parameters, const Block<T>& block);
  void AddActivations(const Block<T>& block, RowSums& sums);
  void AddStatistics(const Block<T>& block, RowSums& sums);
  double LossOfRow(const Block<T>& block, int64_t row, T* delta);

  void SetParameters(const Parameters<const T>& parameters);
  void SetRhoHat(std::span<const double> activation_sums);
  void AddBlockGradient(const Parameters<const T>& parameters, const Block<T>& block,
                        GradientSums<T>& sums);
  void AddOutputDelta(const Block<T>& block, GradientSums<T>& sums);
  void PropagateBack(int64_t layer, const Parameters<const T>& parameters, const Block<T>& block,
                     std::vector<double>& bias);
  void FinishGradient(const Parameters<const T>& parameters, const GradientSums<T>& sums,
                      std::span<T> gradient) const;
  CostTerms Cost(const Parameters<const T>& parameters, const RowSums& sums) const;

  // Calls function(penalty, its means), in order.
  template <class Function>
  void ForEachPenalty(const RowSums& sums, const Function& function) const;
  std::span<const double> RhoHatOf(int64_t layer) const;

  Autoencoder<T> network_;
  Activation activation_;
  RowLoss<T> loss_;
  Corruption<T> corruption_;
  Penalties<T> penalties_;
  int64_t statistics_ = 0;
  bool has_mean_slope_ = false;
  Sweep<T>& sweep_;

  std::vector<RowSums> row_lanes_;
  std::vector<GradientSums<T>> gradient_lanes_;
  std::vector<Workspace> workspaces_;
  std::vector<double> rho_hat_;   // encoder units
  AlignedBuffer<T> mean_slopes_;  // encoder units: what each row's ∂/∂a gets for ρ̂'s sake
  int64_t extreme_units_ = 0;
};

}  // namespace rhohat
