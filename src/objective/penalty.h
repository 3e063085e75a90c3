// What the objective adds to the reconstruction loss (docs/math.md §2), each a file of its own.
//
// A penalty looks at the activations a of one layer of the encoder, at the weights, or at both. All
// that it needs of the rows are sums over them: what it adds to J is a function of ρ̂ and of the
// means of statistics of its own. docs/architecture.md shows how to add one.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "network/parameters.h"
#include "rhohat/cost_terms.h"
#include "rhohat/options.h"

namespace rhohat {

// Means over all rows.
struct PenaltyMeans {
  std::span<const double> rho_hat;     // of the penalty's layer
  std::span<const double> statistics;  // of what AddRow() added up
};

// SetParameters() comes first in each evaluation; then rows, on many threads at a time; then costs
// and gradients. T is float or double.
template <class T>
class Penalty {
 public:
  virtual ~Penalty() = default;

  // Which term of J it is part of.
  virtual double CostTerms::*term() const = 0;

  // Of the encoder, from 0: whose activations it looks at.
  virtual int64_t layer() const { return 0; }

  virtual void SetParameters(const Parameters<const T>& /*parameters*/) {}

  // Adds one row's statistics to `sums`, of which there are statistics().
  virtual int64_t statistics() const { return 0; }
  virtual void AddRow(std::span<const T> /*a*/, double* /*sums*/) const {}

  // delta_j += m · ∂/∂a_j of the penalty, for one row.
  virtual bool has_slope() const { return false; }
  virtual void AddSlope(std::span<const T> /*a*/, T* /*delta*/) const {}

  // The same where it depends on ρ̂ and is equal for all rows: the reason for a pass before.
  virtual bool has_mean_slope() const { return false; }
  virtual void AddMeanSlope(std::span<const double> /*rho_hat*/, std::span<T> /*slope*/) const {}

  virtual double Cost(const Parameters<const T>& parameters, const PenaltyMeans& means) const = 0;

  // What it adds to ∂J/∂W for given activations; biases are never penalised. `weight` is some rows
  // of the weight that layer `layer` of the network has of its own, from its row `first_row` on,
  // and `gradient` is theirs. Thread-safe for different rows.
  virtual void AddWeightGradient(int64_t /*layer*/, int64_t /*first_row*/,
                                 MatrixView<const T> /*weight*/, const PenaltyMeans& /*means*/,
                                 MatrixView<T> /*gradient*/) const {}
};

template <class T>
using Penalties = std::vector<std::unique_ptr<Penalty<T>>>;

// Those with a weight above zero, in the order of the table in penalty.cc.
template <class T>
Penalties<T> MakePenalties(const ObjectiveOptions& options, const NetworkOptions& network,
                           const NetworkShape& shape);

}  // namespace rhohat
