#include "objective/objective.h"

#include <fmt/core.h>

#include <algorithm>

#include "objective/compute_plan.h"
#include "objective/sparsity.h"
#include "rhohat/error.h"

namespace rhohat {

std::string WhyNotFused(const ObjectiveOptions& options, const NetworkShape& shape) {
  const std::span<const double> beyond_first =
      std::span(options.beta).subspan(options.beta.size() > 1 ? 1 : 0);
  if (shape.depth() == 1 || std::ranges::all_of(beyond_first, [](double b) { return b == 0; })) {
    return {};
  }
  return fmt::format(
      "the sparsity penalty of a layer beyond the first of {} is part of a product with the layers "
      "below, which has to wait for rho_hat: it takes two passes",
      shape.Text());
}

// ---- Memory ------------------------------------------------------------------------------------

template <class T>
Objective<T>::Objective(const NetworkShape& shape, const NetworkOptions& network,
                        const ObjectiveOptions& options, const NoiseSource& noise, Sweep<T>& sweep,
                        const ObjectiveSchedule& schedule)
    : Objective(shape, network, options, noise, MakePenalties<T>(options, network, shape), sweep,
                schedule) {}

template <class T>
Objective<T>::Objective(const NetworkShape& shape, const NetworkOptions& network,
                        const ObjectiveOptions& options, const NoiseSource& noise,
                        Penalties<T> penalties, Sweep<T>& sweep, const ObjectiveSchedule& schedule)
    : tile_rows_(std::min(sweep.block_rows(), TileRows(shape))),
      block_(
          shape, network, options, noise, std::move(penalties),
          [&sweep](int64_t row) { return sweep.Locate(row); }, sweep.threads(), tile_rows_),
      activation_(network.activation),
      fused_(schedule.schedule == Schedule::kFused && block_.has_mean_slope()),
      sweep_(sweep),
      rho_hat_(static_cast<size_t>(shape.encoder_units())) {
  if (fused_) {
    const std::string why_not = WhyNotFused(options, shape);
    if (!why_not.empty()) throw Error(ErrorKind::kUsage, "--schedule fused: " + why_not);
    block_.PrepareSplit();
  }
  if (schedule.schedule == Schedule::kCached && passes() == 2) {
    codes_ = CodeCache<T>(sweep.rows(), sweep.block_rows(), shape.encoder_units(),
                          schedule.code_bytes, [&](int64_t block) { return sweep.keeps(block); });
  }
  row_lanes_.assign(static_cast<size_t>(sweep.lanes()), RowSums(shape, block_.statistics()));
}

template <class T>
void Objective<T>::AllocateGradientLanes() {
  for (int64_t lane = 0; lane < sweep_.lanes(); ++lane) {
    gradient_lanes_.emplace_back(shape(), block_.statistics(), fused_);
  }
}

template <class T>
size_t Objective<T>::LaneBytes(const NetworkShape& shape, bool fused) {
  return GradientSums<T>::MemoryBytes(shape, fused) + 2 * CostLaneBytes(shape);
}

// Sums for ρ̂ and the penalties' statistics, of which there are at most two for each unit.
template <class T>
size_t Objective<T>::CostLaneBytes(const NetworkShape& shape) {
  return static_cast<size_t>(3 * shape.encoder_units()) * sizeof(double);
}

template <class T>
size_t Objective<T>::WorkspaceBytes(const NetworkShape& shape, const ObjectiveOptions& options,
                                    int64_t block_rows, bool fused) {
  return BlockGradient<T>::WorkspaceBytes(shape, options, std::min(block_rows, TileRows(shape)),
                                          fused);
}

// ---- Tiles -------------------------------------------------------------------------------------

template <class T>
template <class Function>
void Objective<T>::ForEachTile(const Block<T>& block, const Function& function) const {
  for (int64_t first = 0; first < block.range.size(); first += tile_rows_) {
    const int64_t rows = std::min(tile_rows_, block.range.size() - first);
    Block<T> tile = block;
    tile.range = {block.range.begin + first, block.range.begin + first + rows};
    tile.rows = block.rows.subspan(static_cast<size_t>(first * shape().inputs),
                                   static_cast<size_t>(rows * shape().inputs));
    if (!block.numbers.empty()) {
      tile.numbers = block.numbers.subspan(static_cast<size_t>(first), static_cast<size_t>(rows));
    }
    function(tile);
  }
}

// Where a tile's codes are kept; null where they are not.
template <class T>
T* Objective<T>::CodesOf(const Block<T>& block, const Block<T>& tile) {
  T* const codes = codes_.PlaceOf(block.index);
  if (codes == nullptr) return nullptr;
  return codes + (tile.range.begin - block.range.begin) * shape().encoder_units();
}

// ---- State -------------------------------------------------------------------------------------

// However it ends, nothing is left of it.
template <class T>
class Objective<T>::Evaluation {
 public:
  explicit Evaluation(Objective& objective) : objective_(objective) {}
  ~Evaluation() { objective_.summing_ = Summing::kNothing; }
  Evaluation(const Evaluation&) = delete;
  Evaluation& operator=(const Evaluation&) = delete;

 private:
  Objective& objective_;
};

template <class T>
void Objective<T>::Visit(State& state) {
  state.Choice("summing", summing_, Summing::kGradient);
  if (!is_under_way()) return;
  sweep_.Visit(state);
  const bool of_gradient = summing_ == Summing::kGradient;
  if (of_gradient && passes() == 2) {
    state.Array("activations", std::span(row_lanes_[0].activation));
  }
  if (of_gradient && gradient_lanes_.empty()) AllocateGradientLanes();
  for (int64_t lane = 0; lane < sweep_.lanes_begun(); ++lane) {
    const StateGroup group(state, fmt::format("lane{}", lane));
    if (of_gradient) {
      gradient_lanes_[static_cast<size_t>(lane)].Visit(state);
    } else {
      row_lanes_[static_cast<size_t>(lane)].Visit(state);
    }
  }
}

// ---- J -----------------------------------------------------------------------------------------

template <class T>
void Objective<T>::SetRhoHat(std::span<const double> activation_sums) {
  MeanActivation(activation_sums, sweep_.rows(), activation_, rho_hat_);
  extreme_units_ = CountExtremeUnits<T>(rho_hat_, activation_);
  block_.SetRhoHat(rho_hat_);
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
CostTerms Objective<T>::Evaluate(std::span<const T> parameters, ForwardWatcher<T>* watcher) {
  const Evaluation evaluation(*this);
  summing_ = Summing::kRows;
  block_.SetParameters(parameters);
  std::vector<WatchedSums> lanes;
  for (RowSums& sums : row_lanes_) lanes.push_back({&sums, watcher, std::ssize(lanes)});
  sweep_.Run(std::span(lanes), [&](const Block<T>& block, WatchedSums& lane) {
    ForEachTile(block, [&](const Block<T>& tile) {
      block_.Encode(tile);
      block_.AddActivations(tile, *lane.sums);
      block_.AddCost(tile, *lane.sums);
      if (watcher != nullptr) {
        const MatrixView<const T> rows(tile.rows.data(), tile.range.size(), shape().inputs);
        watcher->AddBlock(lane.lane,
                          {rows, block_.EncoderLevels(tile), block_.Reconstruction(tile)});
      }
    });
  });
  SetRhoHat(row_lanes_[0].activation);
  return block_.Cost(row_lanes_[0], sweep_.rows(), rho_hat_);
}

template <class T>
std::span<const double> Objective<T>::FindRhoHat(std::span<const T> parameters,
                                                 uint32_t noise_epoch) {
  const Evaluation evaluation(*this);
  summing_ = Summing::kRows;
  block_.SetParameters(parameters);
  block_.set_noise_epoch(noise_epoch);
  const RowSums& sums =
      sweep_.Run(std::span(row_lanes_), [&](const Block<T>& block, RowSums& lane) {
        ForEachTile(block, [&](const Block<T>& tile) {
          block_.Encode(tile);
          block_.AddActivations(tile, lane);
        });
      });
  block_.set_noise_epoch(0);
  SetRhoHat(sums.activation);
  return rho_hat_;
}

// ---- ∇J ----------------------------------------------------------------------------------------

template <class T>
CostTerms Objective<T>::EvaluateWithGradient(std::span<const T> parameters, std::span<T> gradient) {
  const Evaluation evaluation(*this);
  block_.SetParameters(parameters);
  if (gradient_lanes_.empty()) AllocateGradientLanes();
  const GradientSums<T>& sums = passes() == 2 ? RunTwice() : RunOnce();
  block_.FinishGradient(sums, sweep_.rows(), rho_hat_, gradient);
  return block_.Cost(sums.rows, sweep_.rows(), rho_hat_);
}

// Fused, or without a penalty that depends on ρ̂.
template <class T>
const GradientSums<T>& Objective<T>::RunOnce() {
  summing_ = Summing::kGradient;
  const GradientSums<T>& sums =
      sweep_.Run(std::span(gradient_lanes_), [&](const Block<T>& block, GradientSums<T>& lane) {
        ForEachTile(block, [&](const Block<T>& tile) {
          block_.Encode(tile);
          block_.AddActivations(tile, lane.rows);
          if (fused_) {
            block_.AddSplitGradient(tile, lane);
          } else {
            block_.AddGradient(tile, lane);
          }
        });
      });
  SetRhoHat(sums.rows.activation);
  return sums;
}

template <class T>
void Objective<T>::RunForwards() {
  sweep_.Run(std::span(row_lanes_), [&](const Block<T>& block, RowSums& sums) {
    ForEachTile(block, [&](const Block<T>& tile) {
      block_.Encode(tile, CodesOf(block, tile));
      block_.AddActivations(tile, sums);
    });
    codes_.SetFilled(block.index);
  });
}

template <class T>
const GradientSums<T>& Objective<T>::RunTwice() {
  if (summing_ != Summing::kGradient) {
    summing_ = Summing::kRows;
    RunForwards();
    summing_ = Summing::kGradient;
  }
  SetRhoHat(row_lanes_[0].activation);
  return sweep_.Run(std::span(gradient_lanes_), [&](const Block<T>& block, GradientSums<T>& lane) {
    ForEachTile(block, [&](const Block<T>& tile) {
      if (codes_.Has(block.index)) {
        block_.UseEncoded(tile, CodesOf(block, tile));
      } else {
        block_.Encode(tile);
      }
      block_.AddGradient(tile, lane);
    });
  });
}

template class Objective<float>;
template class Objective<double>;

}  // namespace rhohat
