// The exact J and its gradient over every row (docs/math.md §2 and §3).
//
// The gradient of any row needs ρ̂, a mean over all rows: so pass 1 streams every row for ρ̂ and
// throws the activations away, and pass 2 streams them again for forward and backward. J alone
// takes one pass.
#pragma once

#include <span>
#include <vector>

#include "base/aligned_buffer.h"
#include "network/autoencoder.h"
#include "network/parameters.h"
#include "objective/cost_terms.h"
#include "objective/loss.h"
#include "objective/sums.h"
#include "rhohat/options.h"
#include "sweep/sweep.h"

namespace rhohat {

// One evaluation at a time. T, float or double, is the type of parameters and products; costs and
// means are in double.
template <class T>
class Objective {
 public:
  // `sweep` must outlive the objective. All memory is allocated here.
  Objective(const NetworkShape& shape, const NetworkOptions& network,
            const ObjectiveOptions& options, Sweep<T>& sweep);

  // What an objective allocates, beside the sweep's own.
  static size_t LaneBytes(const NetworkShape& shape);                           // a lane
  static size_t WorkspaceBytes(const NetworkShape& shape, int64_t block_rows);  // a thread

  // J at `parameters`, and its gradient (both shape.parameters() long, docs/math.md §3).
  CostTerms EvaluateWithGradient(std::span<const T> parameters, std::span<T> gradient);

  // J alone; the same bits as above.
  CostTerms Evaluate(std::span<const T> parameters);

  // Mean activations of the last evaluation (h), and how many are 0 or 1 to rounding.
  std::span<const double> rho_hat() const { return rho_hat_; }
  int64_t extreme_units() const { return extreme_units_; }

  const NetworkShape& shape() const { return network_.shape(); }

 private:
  // One thread's scratch memory for a block.
  struct Workspace {
    AlignedBuffer<T> code;            // B×h: a
    AlignedBuffer<T> reconstruction;  // B×n: x̂, then δ3
    AlignedBuffer<T> hidden_delta;    // B×h: δ2
    AlignedBuffer<T> row;             // n: ∂ℓ/∂x̂ of one row
  };

  MatrixView<T> Encode(const Parameters<const T>& parameters, const Block<T>& block);
  MatrixView<T> Reconstruct(const Parameters<const T>& parameters, MatrixView<const T> code,
                            const Block<T>& block);
  void SetRhoHat(const ActivationSums& sums);
  void AddBlockGradient(const Parameters<const T>& parameters, const Block<T>& block,
                        GradientSums<T>& sums);
  void FinishGradient(const Parameters<const T>& parameters, const GradientSums<T>& sums,
                      std::span<T> gradient) const;
  CostTerms Cost(const Parameters<const T>& parameters, double loss) const;

  Autoencoder<T> network_;
  ObjectiveOptions options_;
  LossFunctions<T> loss_;
  Sweep<T>& sweep_;

  std::vector<ActivationSums> activation_lanes_;
  std::vector<GradientSums<T>> gradient_lanes_;
  std::vector<Workspace> workspaces_;
  std::vector<double> rho_hat_;
  AlignedBuffer<T> sparsity_slope_;  // h
  int64_t extreme_units_ = 0;
};

}  // namespace rhohat
