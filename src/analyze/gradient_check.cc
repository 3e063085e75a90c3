// The derivative check of docs/math.md §9, on real data, and the gradient itself as a file.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <type_traits>
#include <vector>

#include "analyze/model_sweep.h"
#include "base/atomic_file.h"
#include "base/keyed_random.h"
#include "base/safetensors.h"
#include "base/safetensors_header.h"
#include "base/version.h"
#include "math/vector_ops.h"
#include "objective/objective.h"
#include "rhohat/analyze.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

constexpr double kStep = 1e-3;
constexpr char kGradientFormat[] = "rhohat-gradient";

// "encoder.weight[3, 17]".
std::string NameOf(const TensorPlace& tensor, size_t index) {
  if (tensor.shape.size() == 1) return fmt::format("{}[{}]", tensor.name, index);
  const auto columns = static_cast<size_t>(tensor.shape[1]);
  return fmt::format("{}[{}, {}]", tensor.name, index / columns, index % columns);
}

struct ChosenParameter {
  size_t index = 0;  // within the flat vector
  std::string name;
};

// All parameters, or a seeded sample: an equal share of each tensor, or the whole tensor where it
// is smaller than that.
std::vector<ChosenParameter> ChooseParameters(const NetworkShape& shape, int64_t sample,
                                              uint64_t seed) {
  std::vector<ChosenParameter> chosen;
  const KeyedRandom random(seed, RandomPurpose::kGradientSample);
  const bool all = sample == 0 || sample >= shape.parameters();
  const std::vector<TensorPlace> tensors = TensorsOf(shape);
  const size_t equal_share = (static_cast<size_t>(sample) + tensors.size() - 1) / tensors.size();
  uint64_t draw = 0;
  for (const TensorPlace& tensor : tensors) {
    const size_t share = all ? tensor.size : std::min(tensor.size, equal_share);
    std::set<size_t> picked;
    if (share == tensor.size) {
      for (size_t i = 0; i < tensor.size; ++i) picked.insert(picked.end(), i);
    }
    while (picked.size() < share) picked.insert(random.Bits(draw++) % tensor.size);
    for (const size_t i : picked) chosen.push_back({tensor.offset + i, NameOf(tensor, i)});
  }
  return chosen;
}

template <class T>
ModelSweep<T> Bind(const Model& model, const GradientCheckOptions& options,
                   const ObjectiveOptions& weights, const RunControl& control) {
  return ModelSweep<T>(model, options.analyze, weights, control,
                       [&](const NetworkShape& shape, const ComputeOptions& compute) {
                         return AnalysisMemory{
                             .lane_bytes = Objective<T>::LaneBytes(shape, false),
                             .workspace_bytes = Objective<T>::WorkspaceBytes(
                                 shape, weights, compute.block_rows, false),
                             .whole_bytes = static_cast<uint64_t>(shape.parameters()) * sizeof(T)};
                       });
}

template <class T>
void WriteGradient(const NetworkShape& shape, std::span<const T> gradient, double cost,
                   const std::string& output) {
  std::vector<TensorView> views;
  for (const TensorPlace& tensor : TensorsOf(shape)) {
    views.push_back({.name = tensor.name,
                     .type = std::is_same_v<T, double> ? TensorType::kF64 : TensorType::kF32,
                     .shape = tensor.shape,
                     .bytes = std::as_bytes(gradient.subspan(tensor.offset, tensor.size))});
  }
  WriteSafetensors(output,
                   {{"format", kGradientFormat},
                    {"rhohat_version", kVersion},
                    {"cost", fmt::format("{}", cost)}},
                   views);
}

template <class T>
void WriteGradientAs(const Model& model, const GradientCheckOptions& options,
                     const ObjectiveOptions& weights, const RunControl& control) {
  ModelSweep<T> bound = Bind<T>(model, options, weights, control);
  Objective<T> objective(bound.shape(), model.network, weights, bound.noise(), bound.sweep());
  AlignedBuffer<T> gradient(bound.flat().size());
  const CostTerms cost = objective.EvaluateWithGradient(bound.flat(), gradient.span());
  WriteGradient<T>(bound.shape(), gradient.span(), cost.total(), options.output);
}

bool IsGradientFile(const std::string& path) {
  const SafetensorsMetadata metadata = ReadSafetensorsHeader(InputFile(path)).metadata;
  const auto format = metadata.find("format");
  return format != metadata.end() && format->second == kGradientFormat;
}

void WriteGradientFile(const Model& model, const GradientCheckOptions& options,
                       const ObjectiveOptions& weights, const RunControl& control) {
  CheckNotAnInput(options.output, options.analyze.data.files);
  CheckCreatable(options.output);
  CheckReplacesOnly(options.output, "a gradient", IsGradientFile);
  WithPrecision(options.analyze.compute.precision, [&](auto number) {
    WriteGradientAs<decltype(number)>(model, options, weights, control);
  });
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

  ModelSweep<double> bound = Bind<double>(model, options, weights, control);
  Objective<double> objective(bound.shape(), model.network, weights, bound.noise(), bound.sweep());
  AlignedBuffer<double> analytic(bound.flat().size());
  GradientCheck result;
  result.parameters = bound.shape().parameters();
  result.cost = objective.EvaluateWithGradient(bound.flat(), analytic.span()).total();
  result.gradient_norm = Norm<double>(analytic.span());
  if (!std::isfinite(result.cost) || !std::isfinite(result.gradient_norm)) {
    throw Error(ErrorKind::kBadData,
                fmt::format("J is {}, and its gradient's norm {}: there is nothing to compare; the "
                            "data's values or the objective's weights are too large",
                            result.cost, result.gradient_norm));
  }

  double difference_squares = 0;
  double sum_squares = 0;
  double worst = -1;
  const auto seed = static_cast<uint64_t>(options.analyze.compute.seed);
  for (const ChosenParameter& parameter : ChooseParameters(bound.shape(), options.sample, seed)) {
    const double numeric = NumericDerivative(objective, bound.flat(), parameter.index);
    const double exact = analytic.span()[parameter.index];
    difference_squares += (numeric - exact) * (numeric - exact);
    sum_squares += (numeric + exact) * (numeric + exact);
    if (std::abs(numeric - exact) > worst) {
      worst = std::abs(numeric - exact);
      result.worst_parameter = parameter.name;
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
