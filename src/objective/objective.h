// The exact J and its gradient over every row (docs/math.md §2 and §3).
//
// A penalty on ρ̂, a mean over all rows, is part of the gradient of every single row. Three
// schedules come to the same:
//
//   two-pass   all rows once for ρ̂, and all rows again, forwards and backwards
//   cached     the same, but codes that fit into memory are kept from pass to pass: the same bits
//   fused      all rows once: what ρ̂ is to be multiplied with is summed up on its own
//
// J alone takes one pass, and so does the gradient where nothing depends on ρ̂.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "objective/block_gradient.h"
#include "objective/code_cache.h"
#include "objective/penalty.h"
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

// Why `fused` cannot be had; empty where it can.
std::string WhyNotFused(const ObjectiveOptions& options, const NetworkShape& shape);

// How the gradient is computed.
struct ObjectiveSchedule {
  Schedule schedule = Schedule::kTwoPass;  // not kAuto
  uint64_t code_bytes = 0;                 // kCached: of codes that may be kept
};

// One evaluation at a time. T, float or double, is the type of parameters and products; costs and
// means are in double.
template <class T>
class Objective {
 public:
  // `sweep` must outlive the objective. All memory is allocated here, but for the gradient's sums
  // and kept codes, which wait for the first gradient.
  Objective(const NetworkShape& shape, const NetworkOptions& network,
            const ObjectiveOptions& options, const NoiseSource& noise, Sweep<T>& sweep,
            const ObjectiveSchedule& schedule = {});
  // The same with penalties of one's own choice.
  Objective(const NetworkShape& shape, const NetworkOptions& network,
            const ObjectiveOptions& options, const NoiseSource& noise, Penalties<T> penalties,
            Sweep<T>& sweep, const ObjectiveSchedule& schedule = {});

  // What an objective allocates, beside the sweep's own and kept codes.
  static size_t LaneBytes(const NetworkShape& shape, bool fused);  // a lane
  static size_t CostLaneBytes(const NetworkShape& shape);  // a lane where J alone is asked for
  static size_t WorkspaceBytes(const NetworkShape& shape, const ObjectiveOptions& options,
                               int64_t block_rows, bool fused);  // a thread

  // J at `parameters`, and its gradient (both shape.parameters() long, docs/math.md §3). Throws
  // Error(kBadData), naming the row, where the loss is not defined for it.
  CostTerms EvaluateWithGradient(std::span<const T> parameters, std::span<T> gradient);

  // J alone; the same bits as above. `watcher` may be null.
  CostTerms Evaluate(std::span<const T> parameters, ForwardWatcher<T>* watcher = nullptr);

  // Pass 1 alone, with the noise of an epoch of its own: ρ̂ at `parameters`, which rho_hat() then
  // is.
  std::span<const double> FindRhoHat(std::span<const T> parameters, uint32_t noise_epoch);

  // An evaluation that stands at a pause of the sweep. Loaded into another objective of the same
  // kind, the same function goes on with it there when it is called with the same parameters; the
  // bits are those of an evaluation without a pause. Not with a watcher.
  void Visit(State& state);
  bool is_under_way() const { return summing_ != Summing::kNothing; }

  // Passes over the rows that one gradient takes.
  int64_t passes() const { return block_.has_mean_slope() && !fused_ ? 2 : 1; }

  // Whether the gradient depends on ρ̂.
  bool has_mean_slope() const { return block_.has_mean_slope(); }

  // Mean activations of the last evaluation, of the encoder's layers one after another, and how
  // many are 0 or 1 to rounding.
  std::span<const double> rho_hat() const { return rho_hat_; }
  int64_t extreme_units() const { return extreme_units_; }

  const NetworkShape& shape() const { return block_.shape(); }

 private:
  // What the pass under way adds up.
  enum class Summing { kNothing, kRows, kGradient };
  class Evaluation;
  struct WatchedSums;

  template <class Function>
  void ForEachTile(const Block<T>& block, const Function& function) const;
  T* CodesOf(const Block<T>& block, const Block<T>& tile);
  void AllocateGradientLanes();
  void SetRhoHat(std::span<const double> activation_sums);
  const GradientSums<T>& RunOnce();
  const GradientSums<T>& RunTwice();
  void RunForwards();

  int64_t tile_rows_;
  BlockGradient<T> block_;
  Activation activation_;
  bool fused_;
  Sweep<T>& sweep_;
  std::vector<RowSums> row_lanes_;
  std::vector<GradientSums<T>> gradient_lanes_;
  CodeCache<T> codes_;
  std::vector<double> rho_hat_;  // encoder units
  int64_t extreme_units_ = 0;
  Summing summing_ = Summing::kNothing;
};

}  // namespace rhohat
