// Weight decay, (λ/2) Σ ‖W‖²: of weights, never of biases, and once of a tied one
// (docs/math.md §2).
#include "math/vector_ops.h"
#include "objective/penalty.h"

namespace rhohat {
namespace {

template <class T>
class WeightDecay : public Penalty<T> {
 public:
  explicit WeightDecay(double lambda) : lambda_(lambda) {}

  double CostTerms::*term() const override { return &CostTerms::weight_decay; }

  double Cost(const Parameters<const T>& parameters, const PenaltyMeans&) const override {
    double sum = 0;
    for (const LayerParameters<const T>& layer : parameters.layers) {
      if (!layer.transposed) sum += Dot<T>(layer.weight.flat(), layer.weight.flat());
    }
    return lambda_ / 2 * sum;
  }

  void AddWeightGradient(int64_t /*layer*/, int64_t /*first_row*/, MatrixView<const T> weight,
                         const PenaltyMeans&, MatrixView<T> gradient) const override {
    AddScaled<T>(lambda_, weight.flat(), gradient.flat());
  }

 private:
  double lambda_;
};

}  // namespace

template <class T>
void AddWeightDecay(const ObjectiveOptions& options, const NetworkOptions&, const NetworkShape&,
                    Penalties<T>& penalties) {
  if (options.lambda > 0) penalties.push_back(std::make_unique<WeightDecay<T>>(options.lambda));
}

template void AddWeightDecay(const ObjectiveOptions&, const NetworkOptions&, const NetworkShape&,
                             Penalties<float>&);
template void AddWeightDecay(const ObjectiveOptions&, const NetworkOptions&, const NetworkShape&,
                             Penalties<double>&);

}  // namespace rhohat
