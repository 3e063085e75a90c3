// The derivative check of docs/math.md §9, on real data, and the gradient itself as a file.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <set>
#include <type_traits>
#include <vector>

#include "analyze/model_sweep.h"
#include "base/atomic_file.h"
#include "base/keyed_random.h"
#include "base/safetensors.h"
#include "base/version.h"
#include "math/vector_ops.h"
#include "objective/objective.h"
#include "rhohat/analyze.h"

namespace rhohat {
namespace {

constexpr double kStep = 1e-3;

// The parameters' place in the flat vector, by the names they have in files.
struct NamedTensor {
  const char* name;
  int64_t offset;
  std::vector<int64_t> shape;

  int64_t size() const { return shape.size() == 1 ? shape[0] : shape[0] * shape[1]; }
};

std::array<NamedTensor, 4> TensorsOf(const NetworkShape& shape) {
  const int64_t n = shape.inputs;
  const int64_t h = shape.hidden;
  return {{{"encoder.weight", 0, {h, n}},
           {"encoder.bias", h * n, {h}},
           {"decoder.weight", h * n + h, {n, h}},
           {"decoder.bias", 2 * h * n + h, {n}}}};
}

std::string NameOf(const NetworkShape& shape, int64_t parameter) {
  for (const NamedTensor& tensor : TensorsOf(shape)) {
    const int64_t index = parameter - tensor.offset;
    if (index >= tensor.size()) continue;
    if (tensor.shape.size() == 1) return fmt::format("{}[{}]", tensor.name, index);
    return fmt::format("{}[{}, {}]", tensor.name, index / tensor.shape[1], index % tensor.shape[1]);
  }
  return "";
}

// All parameters, or a seeded sample: a quarter of it from each tensor, or the whole tensor where
// it is smaller than that.
std::vector<int64_t> ChooseParameters(const NetworkShape& shape, int64_t sample, uint64_t seed) {
  std::vector<int64_t> chosen;
  const KeyedRandom random(seed, RandomPurpose::kGradientSample);
  const bool all = sample == 0 || sample >= shape.parameters();
  uint64_t draw = 0;
  for (const NamedTensor& tensor : TensorsOf(shape)) {
    const int64_t size = tensor.size();
    const int64_t share = all ? size : std::min(size, (sample + 3) / 4);
    std::set<int64_t> picked;
    if (share == size) {
      for (int64_t i = 0; i < size; ++i) picked.insert(picked.end(), i);
    }
    while (static_cast<int64_t>(picked.size()) < share) {
      picked.insert(static_cast<int64_t>(random.Bits(draw++) % static_cast<uint64_t>(size)));
    }
    for (const int64_t index : picked) chosen.push_back(tensor.offset + index);
  }
  return chosen;
}

template <class T>
AnalysisMemory MemoryOf(const NetworkShape& shape, const ComputeOptions& compute) {
  return {.lane_bytes = Objective<T>::LaneBytes(shape),
          .workspace_bytes = Objective<T>::WorkspaceBytes(shape, compute.block_rows),
          .whole_bytes = static_cast<uint64_t>(shape.parameters()) * sizeof(T)};
}

template <class T>
void WriteGradient(const NetworkShape& shape, std::span<const T> gradient, double cost,
                   const std::string& output) {
  std::vector<TensorView> views;
  for (const NamedTensor& tensor : TensorsOf(shape)) {
    views.push_back({.name = tensor.name,
                     .type = std::is_same_v<T, double> ? TensorType::kF64 : TensorType::kF32,
                     .shape = tensor.shape,
                     .bytes = std::as_bytes(gradient.subspan(static_cast<size_t>(tensor.offset),
                                                             static_cast<size_t>(tensor.size())))});
  }
  WriteSafetensors(output,
                   {{"format", "rhohat-gradient"},
                    {"rhohat_version", kVersion},
                    {"cost", fmt::format("{}", cost)}},
                   views);
}

template <class T>
void WriteGradientAs(const Model& model, const GradientCheckOptions& options,
                     const ObjectiveOptions& weights, const RunControl& control) {
  ModelSweep<T> bound(model, options.analyze, weights, control, MemoryOf<T>);
  Objective<T> objective(bound.shape(), model.network, weights, bound.sweep());
  AlignedBuffer<T> gradient(bound.flat().size());
  const CostTerms cost = objective.EvaluateWithGradient(bound.flat(), gradient.span());
  WriteGradient<T>(bound.shape(), gradient.span(), cost.total(), options.output);
}

void WriteGradientFile(const Model& model, const GradientCheckOptions& options,
                       const ObjectiveOptions& weights, const RunControl& control) {
  CheckNotAnInput(options.output, options.analyze.data.files);
  CheckCreatable(options.output);
  if (options.analyze.compute.precision == Precision::kFloat64) {
    WriteGradientAs<double>(model, options, weights, control);
  } else {
    WriteGradientAs<float>(model, options, weights, control);
  }
}

// ∂J/∂parameter by the central difference of fourth order, from J at two steps to either side.
double NumericDerivative(Objective<double>& objective, std::span<double> flat, size_t index) {
  const double here = flat[index];
  const auto cost_at = [&](double steps) {
    flat[index] = here + steps * kStep;
    return objective.Evaluate(flat).total();
  };
  const double near = cost_at(1) - cost_at(-1);
  const double far = cost_at(2) - cost_at(-2);
  flat[index] = here;
  return (8 * near - far) / (12 * kStep);
}

// How far a numeric derivative can be off because J itself is rounded: a few units in its last
// place, over the step.
double RoundingOfDerivative(double cost) {
  return 4 * std::numeric_limits<double>::epsilon() * std::abs(cost) / kStep;
}

}  // namespace

GradientCheck CheckGradient(const Model& model, const GradientCheckOptions& options,
                            const RunControl& control) {
  const ObjectiveOptions& weights = options.objective ? *options.objective : model.objective;
  if (!options.output.empty()) WriteGradientFile(model, options, weights, control);

  ModelSweep<double> bound(model, options.analyze, weights, control, MemoryOf<double>);
  Objective<double> objective(bound.shape(), model.network, weights, bound.sweep());
  AlignedBuffer<double> analytic(bound.flat().size());
  GradientCheck result;
  result.parameters = bound.shape().parameters();
  result.cost = objective.EvaluateWithGradient(bound.flat(), analytic.span()).total();
  result.gradient_norm = Norm<double>(analytic.span());

  double difference_squares = 0;
  double sum_squares = 0;
  double worst = -1;
  const auto seed = static_cast<uint64_t>(options.analyze.compute.seed);
  for (const int64_t parameter : ChooseParameters(bound.shape(), options.sample, seed)) {
    const auto index = static_cast<size_t>(parameter);
    const double numeric = NumericDerivative(objective, bound.flat(), index);
    const double exact = analytic.span()[index];
    difference_squares += (numeric - exact) * (numeric - exact);
    sum_squares += (numeric + exact) * (numeric + exact);
    if (std::abs(numeric - exact) > worst) {
      worst = std::abs(numeric - exact);
      result.worst_parameter = NameOf(bound.shape(), parameter);
    }
    ++result.parameters_checked;
  }
  const double size = std::sqrt(sum_squares);
  const double rounding =
      RoundingOfDerivative(result.cost) * std::sqrt(static_cast<double>(result.parameters_checked));
  result.relative_error = size > 0 ? std::sqrt(difference_squares) / size : 0;
  result.rounding_error = size > 0 ? rounding / size : 0;
  return result;
}

}  // namespace rhohat
