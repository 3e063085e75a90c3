// J over a data set, and how well and how sparsely the model describes it: one pass.
#include <algorithm>
#include <limits>
#include <vector>

#include "analyze/model_sweep.h"
#include "objective/objective.h"
#include "rhohat/analyze.h"

namespace rhohat {
namespace {

constexpr double kDeadRange = 0.01;

// A lane's sums over its rows.
struct FigureSums {
  std::vector<double> smallest;  // encoder units: min a
  std::vector<double> largest;   // encoder units: max a
  std::vector<double> input;     // n: Σ (x − origin)
  double input_squares = 0;      // Σ ‖x − origin‖²
  double error_squares = 0;      // Σ ‖x − x̂‖²

  explicit FigureSums(const NetworkShape& shape)
      : smallest(static_cast<size_t>(shape.encoder_units())),
        largest(smallest.size()),
        input(static_cast<size_t>(shape.inputs)) {}

  void Clear() {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    std::ranges::fill(smallest, kInfinity);
    std::ranges::fill(largest, -kInfinity);
    std::ranges::fill(input, 0.0);
    input_squares = error_squares = 0;
  }

  void Add(const FigureSums& other) {
    for (size_t j = 0; j < smallest.size(); ++j) {
      smallest[j] = std::min(smallest[j], other.smallest[j]);
      largest[j] = std::max(largest[j], other.largest[j]);
    }
    for (size_t k = 0; k < input.size(); ++k) input[k] += other.input[k];
    input_squares += other.input_squares;
    error_squares += other.error_squares;
  }

  static uint64_t MemoryBytes(const NetworkShape& shape) {
    return static_cast<uint64_t>(2 * shape.encoder_units() + shape.inputs) * sizeof(double);
  }
};

// Adds up, while J is evaluated, what the figures beside it are made of.
template <class T>
class FigureWatcher : public ForwardWatcher<T> {
 public:
  // Distances are from `origin`, some row of the data, so that little is lost where the rows lie
  // close together and far from zero.
  FigureWatcher(const NetworkShape& shape, int64_t lanes, std::vector<T> origin)
      : shape_(shape),
        origin_(std::move(origin)),
        lanes_(static_cast<size_t>(lanes), FigureSums(shape)) {}

  void Clear(int64_t lane) override { Lane(lane).Clear(); }

  void Combine(int64_t into, int64_t from) override { Lane(into).Add(Lane(from)); }

  void AddBlock(int64_t lane, const typename ForwardWatcher<T>::View& view) override {
    FigureSums& sums = Lane(lane);
    for (int64_t i = 0; i < view.rows.rows; ++i) {
      for (int64_t layer = 0; layer < shape_.depth(); ++layer) {
        const int64_t width = shape_.width(layer + 1);
        const T* const level = view.encoder_levels[static_cast<size_t>(layer)];
        AddActivations({level + i * width, static_cast<size_t>(width)},
                       static_cast<size_t>(shape_.encoder_offset(layer)), sums);
      }
      AddRow(view.rows.row(i), view.reconstruction.row(i), sums);
    }
  }

  double ExplainedVariance(int64_t rows) const {
    const FigureSums& sums = lanes_.front();
    double total = sums.input_squares;
    for (const double sum : sums.input) total -= sum * sum / static_cast<double>(rows);
    if (!(total > 0)) return std::numeric_limits<double>::quiet_NaN();
    return 1 - sums.error_squares / total;
  }

  int64_t DeadUnits() const {
    const FigureSums& sums = lanes_.front();
    int64_t dead = 0;
    for (size_t j = 0; j < sums.smallest.size(); ++j) {
      if (sums.largest[j] - sums.smallest[j] < kDeadRange) ++dead;
    }
    return dead;
  }

 private:
  FigureSums& Lane(int64_t lane) { return lanes_[static_cast<size_t>(lane)]; }

  // `offset` is where the layer's units begin.
  void AddActivations(std::span<const T> a, size_t offset, FigureSums& sums) const {
    for (size_t j = 0; j < a.size(); ++j) {
      const auto value = static_cast<double>(a[j]);
      sums.smallest[offset + j] = std::min(sums.smallest[offset + j], value);
      sums.largest[offset + j] = std::max(sums.largest[offset + j], value);
    }
  }

  void AddRow(const T* row, const T* reconstruction, FigureSums& sums) const {
    for (size_t k = 0; k < origin_.size(); ++k) {
      const double centred = static_cast<double>(row[k]) - static_cast<double>(origin_[k]);
      const double error = static_cast<double>(row[k]) - static_cast<double>(reconstruction[k]);
      sums.input[k] += centred;
      sums.input_squares += centred * centred;
      sums.error_squares += error * error;
    }
  }

  NetworkShape shape_;
  std::vector<T> origin_;
  std::vector<FigureSums> lanes_;
};

void DescribeRhoHat(std::span<const double> rho_hat, Evaluation& result) {
  result.rho_hat.assign(rho_hat.begin(), rho_hat.end());
  for (const double mean : rho_hat) {
    result.rho_hat_mean += mean / static_cast<double>(rho_hat.size());
  }
  const auto [smallest, largest] = std::ranges::minmax(rho_hat);
  result.rho_hat_min = smallest;
  result.rho_hat_max = largest;
}

template <class T>
Evaluation EvaluateAs(const Model& model, const AnalyzeOptions& options,
                      const ObjectiveOptions& weights, const RunControl& control) {
  ModelSweep<T> bound(model, options, weights, control,
                      [&](const NetworkShape& shape, const ComputeOptions& compute) {
                        return AnalysisMemory{.lane_bytes = Objective<T>::CostLaneBytes(shape) +
                                                            FigureSums::MemoryBytes(shape),
                                              .workspace_bytes = Objective<T>::WorkspaceBytes(
                                                  shape, weights, compute.block_rows, false)};
                      });
  Objective<T> objective(bound.shape(), model.network, weights, bound.noise(), bound.sweep());
  FigureWatcher<T> figures(bound.shape(), bound.sweep().lanes(), bound.FirstRow());
  Evaluation result;
  result.rows = bound.sweep().rows();
  result.cost = objective.Evaluate(bound.flat(), &figures);
  result.explained_variance = figures.ExplainedVariance(result.rows);
  result.dead_units = figures.DeadUnits();
  DescribeRhoHat(objective.rho_hat(), result);
  return result;
}

}  // namespace

Evaluation Evaluate(const Model& model, const AnalyzeOptions& options,
                    const std::optional<ObjectiveOptions>& objective, const RunControl& control) {
  const ObjectiveOptions& weights = objective ? *objective : model.objective;
  return WithPrecision(options.compute.precision, [&](auto number) {
    return EvaluateAs<decltype(number)>(model, options, weights, control);
  });
}

}  // namespace rhohat
