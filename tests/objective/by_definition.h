// J and ∇J as docs/math.md §2 to §5 writes them: row by row, unit by unit, in double, with nothing
// of the library but its options, the names of its terms and its noise.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "network/corruption.h"
#include "rhohat/cost_terms.h"
#include "rhohat/options.h"

namespace rhohat {

inline double Value(Activation f, double z) {
  if (f == Activation::kSigmoid) return 1 / (1 + std::exp(-z));
  if (f == Activation::kTanh) return std::tanh(z);
  if (f == Activation::kRelu) return z > 0 ? z : 0;
  return z;
}

inline double Slope(Activation f, double z) {
  if (f == Activation::kSigmoid) return Value(f, z) * (1 - Value(f, z));
  if (f == Activation::kTanh) return 1 - std::tanh(z) * std::tanh(z);
  if (f == Activation::kRelu) return z > 0 ? 1 : 0;
  return 1;
}

inline double Curvature(Activation f, double z) {
  if (f == Activation::kSigmoid) return Slope(f, z) * (1 - 2 * Value(f, z));
  if (f == Activation::kTanh) return -2 * std::tanh(z) * Slope(f, z);
  return 0;
}

// r(a), and its slope.
inline double InUnitRange(Activation f, double a) {
  return f == Activation::kTanh ? (1 + a) / 2 : a;
}
inline double UnitRangeSlope(Activation f) { return f == Activation::kTanh ? 0.5 : 1; }

class ByDefinition {
 public:
  // `rows` are row-major, `noisy` the same with noise.
  ByDefinition(int64_t inputs, const NetworkOptions& network, const ObjectiveOptions& objective,
               std::vector<double> rows, std::vector<double> noisy)
      : network_(network),
        objective_(objective),
        rows_(std::move(rows)),
        noisy_(std::move(noisy)),
        depth_(network.hidden.size()),
        layers_(2 * depth_) {
    widths_ = {static_cast<size_t>(inputs)};
    for (const int64_t width : network.hidden) widths_.push_back(static_cast<size_t>(width));
    for (size_t i = depth_; i-- > 0;) widths_.push_back(widths_[i]);
    size_t next = 0;
    for (size_t layer = 0; layer < layers_; ++layer) {
      weight_places_.push_back(next);
      if (!IsTransposed(layer)) next += widths_[layer] * widths_[layer + 1];
      bias_places_.push_back(next);
      next += widths_[layer + 1];
      units_.emplace_back(widths_[layer + 1]);
      values_.emplace_back(widths_[layer + 1]);
    }
    parameters_ = next;
    m_ = rows_.size() / widths_[0];
  }

  size_t parameters() const { return parameters_; }

  // J. Also finds ρ̂, and how near any unit is to where J has no derivative.
  CostTerms Cost(const std::vector<double>& p) {
    rho_hat_.clear();
    for (size_t layer = 0; layer < depth_; ++layer) {
      rho_hat_.emplace_back(widths_[layer + 1], 0.0);
    }
    margin_ = std::numeric_limits<double>::infinity();
    CostTerms cost;
    const auto m = static_cast<double>(m_);
    for (size_t row = 0; row < m_; ++row) {
      Forward(p, row);
      cost.reconstruction += RowLoss(row) / m;
      for (size_t layer = 0; layer < depth_; ++layer) {
        for (size_t j = 0; j < widths_[layer + 1]; ++j) {
          rho_hat_[layer][j] += InUnitRange(network_.activation, values_[layer][j]) / m;
        }
      }
      for (const double a : values_[depth_ - 1]) {
        cost.l1 += objective_.gamma / m * std::abs(a);
        if (objective_.gamma > 0 && network_.activation != Activation::kRelu) {
          margin_ = std::min(margin_, std::abs(a));
        }
      }
      if (objective_.kappa > 0) cost.contraction += objective_.kappa / m * SquaredJacobian(p);
    }
    for (size_t layer = 0; layer < layers_; ++layer) {
      if (IsTransposed(layer)) continue;
      for (size_t i = weight_places_[layer]; i < bias_places_[layer]; ++i) {
        cost.weight_decay += objective_.lambda / 2 * p[i] * p[i];
      }
    }
    for (size_t layer = 0; layer < depth_; ++layer) {
      const double rho = Of(objective_.rho, layer);
      if (Of(objective_.beta, layer) == 0) continue;
      for (const double mean : rho_hat_[layer]) {
        cost.sparsity +=
            Of(objective_.beta, layer) *
            (rho * std::log(rho / mean) + (1 - rho) * std::log((1 - rho) / (1 - mean)));
      }
    }
    return cost;
  }

  // ∇J. Leaves ρ̂ too.
  std::vector<double> Gradient(const std::vector<double>& p) {
    Cost(p);
    std::vector<double> gradient(parameters_, 0.0);
    for (size_t row = 0; row < m_; ++row) AddRowGradient(p, row, gradient);
    for (double& value : gradient) value /= static_cast<double>(m_);
    for (size_t layer = 0; layer < layers_; ++layer) {
      if (IsTransposed(layer)) continue;
      for (size_t i = weight_places_[layer]; i < bias_places_[layer]; ++i) {
        gradient[i] += objective_.lambda * p[i];
      }
    }
    return gradient;
  }

  // Of the last Cost() or Gradient(): of the encoder's layers, one after another.
  std::vector<double> rho_hat() const {
    std::vector<double> all;
    for (const auto& layer : rho_hat_) all.insert(all.end(), layer.begin(), layer.end());
    return all;
  }

  // The least |z| of a ReLU and, where there is an L1 penalty, the least |a| of the code: how far
  // the parameters may be moved without crossing a kink.
  double margin() const { return margin_; }

 private:
  bool IsTransposed(size_t layer) const { return network_.tied && layer >= depth_; }

  size_t WeightPlace(size_t layer, size_t unit, size_t input) const {
    if (!IsTransposed(layer)) return weight_places_[layer] + unit * widths_[layer] + input;
    const size_t mirror = layers_ - 1 - layer;
    return weight_places_[mirror] + input * widths_[mirror] + unit;
  }

  Activation ActivationOf(size_t layer) const {
    return layer + 1 == layers_ ? network_.decoder : network_.activation;
  }

  static double Of(const std::vector<double>& list, size_t layer) {
    return list.size() == 1 ? list[0] : list[layer];
  }

  const double* Input(size_t row, size_t layer) const {
    return layer == 0 ? noisy_.data() + row * widths_[0] : values_[layer - 1].data();
  }

  void Forward(const std::vector<double>& p, size_t row) {
    for (size_t layer = 0; layer < layers_; ++layer) {
      const double* in = Input(row, layer);
      for (size_t j = 0; j < widths_[layer + 1]; ++j) {
        double z = p[bias_places_[layer] + j];
        for (size_t k = 0; k < widths_[layer]; ++k) z += p[WeightPlace(layer, j, k)] * in[k];
        units_[layer][j] = z;
        values_[layer][j] = Value(ActivationOf(layer), z);
        if (ActivationOf(layer) == Activation::kRelu) margin_ = std::min(margin_, std::abs(z));
      }
    }
  }

  double RowLoss(size_t row) const {
    double loss = 0;
    for (size_t k = 0; k < widths_[0]; ++k) {
      const double x = rows_[row * widths_[0] + k];
      const double out = values_.back()[k];
      loss += objective_.loss == Loss::kSquared
                  ? (out - x) * (out - x) / 2
                  : -(x * std::log(out) + (1 - x) * std::log(1 - out));
    }
    return loss;
  }

  // ‖∂a/∂x̃‖², entry by entry.
  double SquaredJacobian(const std::vector<double>& p) const {
    double sum = 0;
    for (size_t j = 0; j < widths_[1]; ++j) {
      for (size_t k = 0; k < widths_[0]; ++k) {
        const double entry = Slope(network_.activation, units_[0][j]) * p[WeightPlace(0, j, k)];
        sum += entry * entry;
      }
    }
    return sum;
  }

  void AddRowGradient(const std::vector<double>& p, size_t row, std::vector<double>& gradient) {
    Forward(p, row);
    std::vector<double> from_above;  // ∂/∂a of what the current layer gives
    for (size_t k = 0; k < widths_[0]; ++k) {
      const double x = rows_[row * widths_[0] + k];
      const double out = values_.back()[k];
      from_above.push_back(objective_.loss == Loss::kSquared ? out - x
                                                             : (out - x) / (out * (1 - out)));
    }
    for (size_t layer = layers_; layer-- > 0;) {
      std::vector<double> below(widths_[layer], 0.0);
      for (size_t j = 0; j < widths_[layer + 1]; ++j) {
        double slope = from_above[j];
        if (layer < depth_) slope += PenaltySlope(layer, j);
        double delta = slope * Slope(ActivationOf(layer), units_[layer][j]);
        if (layer == 0 && objective_.kappa > 0) delta += AddContraction(p, j, gradient);
        gradient[bias_places_[layer] + j] += delta;
        for (size_t k = 0; k < widths_[layer]; ++k) {
          gradient[WeightPlace(layer, j, k)] += delta * Input(row, layer)[k];
          below[k] += delta * p[WeightPlace(layer, j, k)];
        }
      }
      from_above = below;
    }
  }

  // β s_j of the layer, and γ sign(a_j) of the code.
  double PenaltySlope(size_t layer, size_t j) const {
    double slope = 0;
    const double beta = Of(objective_.beta, layer);
    if (beta > 0) {
      const double rho = Of(objective_.rho, layer);
      const double mean = rho_hat_[layer][j];
      slope += beta * (-rho / mean + (1 - rho) / (1 - mean)) * UnitRangeSlope(network_.activation);
    }
    const double a = values_[layer][j];
    if (layer + 1 == depth_ && a != 0) slope += a > 0 ? objective_.gamma : -objective_.gamma;
    return slope;
  }

  // κ ∂/∂W1_jk of unit j's part of the squared Jacobian that is not by way of z_j; returns the part
  // that is, ∂/∂z_j.
  double AddContraction(const std::vector<double>& p, size_t j, std::vector<double>& gradient) {
    const double u = Slope(network_.activation, units_[0][j]);
    double squares = 0;
    for (size_t k = 0; k < widths_[0]; ++k) {
      const double weight = p[WeightPlace(0, j, k)];
      squares += weight * weight;
      gradient[WeightPlace(0, j, k)] += objective_.kappa * 2 * u * u * weight;
    }
    return objective_.kappa * 2 * u * Curvature(network_.activation, units_[0][j]) * squares;
  }

  NetworkOptions network_;
  ObjectiveOptions objective_;
  std::vector<double> rows_;
  std::vector<double> noisy_;
  size_t depth_;
  size_t layers_;
  size_t m_ = 0;
  size_t parameters_ = 0;
  std::vector<size_t> widths_;  // n, h1, …, hk, …, h1, n
  std::vector<size_t> weight_places_;
  std::vector<size_t> bias_places_;

  // Of the last row and the last evaluation.
  std::vector<std::vector<double>> units_;   // z
  std::vector<std::vector<double>> values_;  // a
  std::vector<std::vector<double>> rho_hat_;
  double margin_ = 0;
};

}  // namespace rhohat
