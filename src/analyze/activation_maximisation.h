// The input of a given norm that excites a unit of any layer most.
//
// What is maximised is the unit's own input z_j(x), not its activation f(z_j): f never falls, so
// both have the same maximum, and z_j keeps its slope where f is saturated. In the first layer
// z_j = W_j x + b_j, and the answer is x = r W_j / ‖W_j‖. Deeper, the search begins at the
// direction that the network would have if it were linear, the product of the weights, and at a few
// random ones, since there may be several maxima; the highest that is found is kept (Erhan, Bengio,
// Courville, Vincent: "Visualizing higher-layer features of a deep network", 2009).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/aligned_buffer.h"
#include "math/views.h"
#include "network/autoencoder.h"
#include "network/parameters.h"
#include "rhohat/options.h"

namespace rhohat {

// Not thread-safe: has memory for one search.
class ActivationMaximiser {
 public:
  // For up to `most_units` units at a time of layer `layer` of the encoder, counted from 0.
  // `flat` is all of the network's parameters, which must outlive it; `norm` is above 0.
  ActivationMaximiser(const NetworkShape& shape, const NetworkOptions& options,
                      std::span<const double> flat, int64_t layer, double norm, int64_t most_units);

  // inputs.row(i) = the x with ‖x‖ = norm that excites unit first + i most; zeros for a unit that
  // does not depend on x wherever the search began, and something not finite where a weight is not.
  // The result is a function of the parameters alone.
  void Maximise(int64_t first, MatrixView<double> inputs);

  // z_j(x) less its bias, and ∇z_j(x), of unit units[i] at points.row(i). At most as many points
  // as a search has.
  void Evaluate(std::span<const int64_t> units, MatrixView<const double> points,
                std::span<double> values, MatrixView<double> gradients);

  // Starting points for each unit: the linear one, and the best of so many random candidates.
  static constexpr int64_t kStarts = 6;
  static constexpr int64_t kCandidates = 256;

 private:
  MatrixView<const double> Forward(MatrixView<const double> points);
  std::vector<double> ScoreCandidates(int64_t first, int64_t count, MatrixView<double> points);
  void PlaceStarts(int64_t first, int64_t count, MatrixView<double> points);
  void ProductOfWeights(int64_t first, MatrixView<double> directions);
  MatrixView<double> Level(int64_t layer, int64_t rows);
  MatrixView<double> Scratch(int64_t rows, int64_t columns);
  std::span<const double> WeightsOf(int64_t unit) const;

  Autoencoder<double> network_;
  Parameters<const double> parameters_;
  int64_t layer_;
  double norm_;
  std::vector<AlignedBuffer<double>> levels_;  // what the layers below `layer` give, for each point
  AlignedBuffer<double> scratch_;
};

}  // namespace rhohat
