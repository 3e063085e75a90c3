// Contraction, (κ/m) Σ_i ‖∂a/∂x̃(x̃_i)‖²_F, of one hidden layer (docs/math.md §5).
//
// With u_j = f′(z_j) and w_j = ‖W1_j‖² a row's norm is Σ_j u_j² w_j, so that no Jacobian is built.
#include "base/aligned_buffer.h"
#include "math/kernels.h"
#include "math/vector_ops.h"
#include "objective/penalty.h"

namespace rhohat {
namespace {

template <class T>
class Contraction : public Penalty<T> {
 public:
  Contraction(double kappa, const ActivationKernels<T>& activation, int64_t units)
      : kappa_(kappa),
        activation_(activation),
        norms_(static_cast<size_t>(units)),
        curvature_weights_(norms_.size()) {}

  double CostTerms::*term() const override { return &CostTerms::contraction; }

  void SetParameters(const Parameters<const T>& parameters) override {
    const MatrixView<const T> weight = parameters[0].weight;
    for (size_t j = 0; j < norms_.size(); ++j) {
      const std::span<const T> row(weight.row(static_cast<int64_t>(j)),
                                   static_cast<size_t>(weight.columns));
      norms_[j] = Dot<T>(row, row);
      curvature_weights_.data()[j] = static_cast<T>(2 * kappa_ * norms_[j]);
    }
  }

  // Σ_i u_ij².
  int64_t statistics() const override { return std::ssize(norms_); }
  void AddRow(std::span<const T> a, double* sums) const override {
    activation_.add_slope_squares(a.data(), sums, std::ssize(a));
  }

  // ∂(κ w_j u_j²)/∂z_j = 2κ w_j u_j f″; the u_j among it comes with the slope of every δ2.
  bool has_slope() const override { return true; }
  void AddSlope(std::span<const T> a, T* delta) const override {
    activation_.add_curvature(curvature_weights_.data(), a.data(), delta, std::ssize(a));
  }

  double Cost(const Parameters<const T>&, const PenaltyMeans& means) const override {
    double sum = 0;
    for (size_t j = 0; j < norms_.size(); ++j) sum += norms_[j] * means.statistics[j];
    return kappa_ * sum;
  }

  // 2κ W1_jk (1/m) Σ_i u_ij².
  void AddWeightGradient(int64_t layer, int64_t first_row, MatrixView<const T> weight,
                         const PenaltyMeans& means, MatrixView<T> gradient) const override {
    if (layer > 0) return;
    const auto columns = static_cast<size_t>(weight.columns);
    for (int64_t i = 0; i < weight.rows; ++i) {
      AddScaled<T>(2 * kappa_ * means.statistics[static_cast<size_t>(first_row + i)],
                   {weight.row(i), columns}, {gradient.row(i), columns});
    }
  }

 private:
  double kappa_;
  const ActivationKernels<T>& activation_;
  std::vector<double> norms_;           // h: w
  AlignedBuffer<T> curvature_weights_;  // h: 2κw
};

}  // namespace

template <class T>
void AddContraction(const ObjectiveOptions& options, const NetworkOptions& network,
                    const NetworkShape& shape, Penalties<T>& penalties) {
  if (options.kappa == 0) return;
  penalties.push_back(std::make_unique<Contraction<T>>(
      options.kappa, BestKernels<T>().activations[static_cast<int>(network.activation)],
      shape.code()));
}

template void AddContraction(const ObjectiveOptions&, const NetworkOptions&, const NetworkShape&,
                             Penalties<float>&);
template void AddContraction(const ObjectiveOptions&, const NetworkOptions&, const NetworkShape&,
                             Penalties<double>&);

}  // namespace rhohat
