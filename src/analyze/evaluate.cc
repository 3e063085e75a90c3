// J over a data set, and how well and how sparsely the model describes it: one pass.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "analyze/model_sweep.h"
#include "data/row_source.h"
#include "math/blas.h"
#include "math/kernels.h"
#include "objective/loss.h"
#include "objective/sparsity.h"
#include "objective/weight_decay.h"
#include "rhohat/analyze.h"

namespace rhohat {
namespace {

constexpr double kDeadRange = 0.01;

// A lane's sums over its rows.
struct EvaluationSums {
  std::vector<double> activation;  // h: Σ a
  std::vector<double> smallest;    // h: min a
  std::vector<double> largest;     // h: max a
  std::vector<double> input;       // n: Σ (x − origin)
  double input_squares = 0;        // Σ ‖x − origin‖²
  double error_squares = 0;        // Σ ‖x − x̂‖²
  double loss = 0;                 // Σ ℓ

  explicit EvaluationSums(const NetworkShape& shape)
      : activation(static_cast<size_t>(shape.hidden)),
        smallest(activation.size()),
        largest(activation.size()),
        input(static_cast<size_t>(shape.inputs)) {}

  void Clear() {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    std::ranges::fill(activation, 0.0);
    std::ranges::fill(smallest, kInfinity);
    std::ranges::fill(largest, -kInfinity);
    std::ranges::fill(input, 0.0);
    input_squares = error_squares = loss = 0;
  }

  void Add(const EvaluationSums& other) {
    for (size_t j = 0; j < activation.size(); ++j) {
      activation[j] += other.activation[j];
      smallest[j] = std::min(smallest[j], other.smallest[j]);
      largest[j] = std::max(largest[j], other.largest[j]);
    }
    for (size_t k = 0; k < input.size(); ++k) input[k] += other.input[k];
    input_squares += other.input_squares;
    error_squares += other.error_squares;
    loss += other.loss;
  }

  template <class T>
  void AddCode(std::span<const T> code) {
    for (size_t j = 0; j < code.size(); ++j) {
      const auto value = static_cast<double>(code[j]);
      activation[j] += value;
      smallest[j] = std::min(smallest[j], value);
      largest[j] = std::max(largest[j], value);
    }
  }

  // Distances are from `origin`, some row of the data, so that little is lost where the rows lie
  // close together and far from zero.
  template <class T>
  void AddRow(std::span<const T> row, std::span<const T> reconstruction,
              std::span<const T> origin) {
    for (size_t k = 0; k < row.size(); ++k) {
      const double centred = static_cast<double>(row[k]) - static_cast<double>(origin[k]);
      const double error = static_cast<double>(row[k]) - static_cast<double>(reconstruction[k]);
      input[k] += centred;
      input_squares += centred * centred;
      error_squares += error * error;
    }
  }

  static uint64_t MemoryBytes(const NetworkShape& shape) {
    return static_cast<uint64_t>(3 * shape.hidden + shape.inputs) * sizeof(double);
  }
};

template <class T>
struct Workspace {
  AlignedBuffer<T> code;            // B×h
  AlignedBuffer<T> reconstruction;  // B×n
  AlignedBuffer<T> row;             // n

  Workspace(const NetworkShape& shape, int64_t block_rows)
      : code(static_cast<size_t>(block_rows * shape.hidden)),
        reconstruction(static_cast<size_t>(block_rows * shape.inputs)),
        row(static_cast<size_t>(shape.inputs)) {}

  static uint64_t MemoryBytes(const NetworkShape& shape, int64_t block_rows) {
    const int64_t values = block_rows * (shape.hidden + shape.inputs) + shape.inputs;
    return static_cast<uint64_t>(values) * sizeof(T) +
           ProductWorkspaceBytes(std::max({block_rows, shape.hidden, shape.inputs}), sizeof(T));
  }
};

template <class T>
void AddBlock(const ModelSweep<T>& model, const LossFunctions<T>& loss, const Block<T>& block,
              std::span<const T> origin, const Workspace<T>& workspace, EvaluationSums& sums) {
  const NetworkShape& shape = model.shape();
  const MatrixView<const T> rows(block.rows.data(), block.range.size(), shape.inputs);
  const MatrixView<T> code(workspace.code.data(), rows.rows, shape.hidden);
  const MatrixView<T> reconstruction(workspace.reconstruction.data(), rows.rows, shape.inputs);
  model.network().Encode(model.parameters(), rows, code);
  model.network().Decode(model.parameters(), code, reconstruction);
  const auto row_of = [](const auto& matrix, int64_t i) {
    return std::span<const T>(matrix.row(i), static_cast<size_t>(matrix.columns));
  };
  for (int64_t i = 0; i < rows.rows; ++i) {
    sums.AddCode<T>(row_of(code, i));
    sums.AddRow<T>(row_of(rows, i), row_of(reconstruction, i), origin);
    sums.loss +=
        loss.slope_and_cost(reconstruction.row(i), rows.row(i), workspace.row.data(), rows.columns);
  }
}

double ExplainedVariance(const EvaluationSums& sums, int64_t rows) {
  double total = sums.input_squares;
  for (const double sum : sums.input) total -= sum * sum / static_cast<double>(rows);
  if (!(total > 0)) return std::numeric_limits<double>::quiet_NaN();
  return 1 - sums.error_squares / total;
}

Evaluation Summarise(const EvaluationSums& sums, int64_t rows, const ObjectiveOptions& objective,
                     double weight_decay) {
  Evaluation result;
  result.rows = rows;
  result.rho_hat.resize(sums.activation.size());
  MeanActivation(sums.activation, rows, result.rho_hat);
  result.reconstruction = sums.loss / static_cast<double>(rows);
  result.weight_decay = weight_decay;
  result.sparsity = SparsityCost(objective.rho, objective.beta, result.rho_hat);
  result.cost = result.reconstruction + result.weight_decay + result.sparsity + result.l1 +
                result.contraction;
  result.explained_variance = ExplainedVariance(sums, rows);
  for (size_t j = 0; j < result.rho_hat.size(); ++j) {
    result.rho_hat_mean += result.rho_hat[j] / static_cast<double>(result.rho_hat.size());
    if (sums.largest[j] - sums.smallest[j] < kDeadRange) ++result.dead_units;
  }
  const auto [smallest, largest] = std::ranges::minmax(result.rho_hat);
  result.rho_hat_min = smallest;
  result.rho_hat_max = largest;
  return result;
}

template <class T>
Evaluation EvaluateAs(const Model& model, const AnalyzeOptions& options,
                      const ObjectiveOptions& objective, const RunControl& control) {
  ModelSweep<T> bound(model, options, objective, control,
                      [](const NetworkShape& shape, const ComputeOptions& compute) {
                        return AnalysisMemory{.lane_bytes = EvaluationSums::MemoryBytes(shape),
                                              .workspace_bytes = Workspace<T>::MemoryBytes(
                                                  shape, compute.block_rows)};
                      });
  Sweep<T>& sweep = bound.sweep();
  const NetworkShape& shape = bound.shape();
  std::vector<EvaluationSums> lanes(static_cast<size_t>(sweep.lanes()), EvaluationSums(shape));
  std::vector<Workspace<T>> workspaces;
  for (int64_t worker = 0; worker < sweep.threads(); ++worker) {
    workspaces.emplace_back(shape, sweep.block_rows());
  }
  std::vector<T> origin(static_cast<size_t>(shape.inputs));
  RawRows first;
  FetchAndUnpack(bound.data(), {0, 1}, first);
  DecodeRows(bound.data(), first, std::span(origin));

  const LossFunctions<T> loss = FunctionsOf<T>(objective.loss);
  const EvaluationSums& sums = sweep.Run(std::span(lanes), [&](const Block<T>& block,
                                                               EvaluationSums& lane) {
    AddBlock<T>(bound, loss, block, origin, workspaces[static_cast<size_t>(block.worker)], lane);
  });
  return Summarise(sums, sweep.rows(), objective,
                   WeightDecayCost(objective.lambda, bound.parameters()));
}

}  // namespace

Evaluation Evaluate(const Model& model, const AnalyzeOptions& options,
                    const std::optional<ObjectiveOptions>& objective, const RunControl& control) {
  const ObjectiveOptions& weights = objective ? *objective : model.objective;
  if (options.compute.precision == Precision::kFloat64) {
    return EvaluateAs<double>(model, options, weights, control);
  }
  return EvaluateAs<float>(model, options, weights, control);
}

}  // namespace rhohat
