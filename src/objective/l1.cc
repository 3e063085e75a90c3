// The L1 penalty, (γ/m) Σ_i Σ_j |a_ij|, of the code: the innermost layer (docs/math.md §2).
#include "math/kernels.h"
#include "objective/penalty.h"

namespace rhohat {
namespace {

template <class T>
class L1 : public Penalty<T> {
 public:
  L1(double gamma, int64_t layer, int64_t units) : gamma_(gamma), layer_(layer), units_(units) {}

  double CostTerms::*term() const override { return &CostTerms::l1; }
  int64_t layer() const override { return layer_; }

  int64_t statistics() const override { return units_; }
  void AddRow(std::span<const T> a, double* sums) const override {
    BestKernels<T>().add_magnitudes(a.data(), sums, std::ssize(a));
  }

  bool has_slope() const override { return true; }
  void AddSlope(std::span<const T> a, T* delta) const override {
    BestKernels<T>().add_signs(static_cast<T>(gamma_), a.data(), delta, std::ssize(a));
  }

  double Cost(const Parameters<const T>&, const PenaltyMeans& means) const override {
    double sum = 0;
    for (const double mean : means.statistics) sum += mean;
    return gamma_ * sum;
  }

 private:
  double gamma_;
  int64_t layer_;
  int64_t units_;
};

}  // namespace

template <class T>
void AddL1(const ObjectiveOptions& options, const NetworkOptions&, const NetworkShape& shape,
           Penalties<T>& penalties) {
  if (options.gamma > 0) {
    penalties.push_back(std::make_unique<L1<T>>(options.gamma, shape.depth() - 1, shape.code()));
  }
}

template void AddL1(const ObjectiveOptions&, const NetworkOptions&, const NetworkShape&,
                    Penalties<float>&);
template void AddL1(const ObjectiveOptions&, const NetworkOptions&, const NetworkShape&,
                    Penalties<double>&);

}  // namespace rhohat
