#include "train/stages.h"

#include <fmt/core.h>

#include <algorithm>

namespace rhohat {
namespace {

// One number stands for all layers.
std::vector<double> OfLayer(const std::vector<double>& values, size_t layer) {
  return {values.size() == 1 ? values.front() : values[layer]};
}

Stage StageOfLayer(const TrainOptions& options, size_t layer, int64_t inputs) {
  Stage stage;
  stage.name = fmt::format("layer {}", layer + 1);
  stage.frozen_layers = static_cast<int64_t>(layer);
  stage.network = options.network;
  stage.network.hidden = {options.network.hidden[layer]};
  stage.objective = options.objective;
  stage.objective.rho = OfLayer(options.objective.rho, layer);
  stage.objective.beta = OfLayer(options.objective.beta, layer);
  stage.iterations = options.optimizer.iterations;
  if (layer > 0) {
    // What is reconstructed are hidden activations, so the output is of their kind, as it will be
    // in the unrolled network.
    stage.network.decoder = options.network.activation;
    if (stage.network.decoder != Activation::kSigmoid) stage.objective.loss = Loss::kSquared;
  }
  stage.shape = {layer == 0 ? inputs : options.network.hidden[layer - 1], stage.network};
  return stage;
}

}  // namespace

std::vector<Stage> StagesOf(const TrainOptions& options, int64_t inputs) {
  std::vector<Stage> stages;
  Stage whole;
  whole.shape = {inputs, options.network};
  whole.network = options.network;
  whole.objective = options.objective;
  whole.iterations = options.optimizer.iterations;
  if (options.greedy) {
    for (size_t layer = 0; layer < options.network.hidden.size(); ++layer) {
      stages.push_back(StageOfLayer(options, layer, inputs));
    }
    whole.name = "fine-tuning";
    if (options.fine_tune >= 0) whole.iterations = options.fine_tune;
    whole.objective.kappa = 0;  // defined for the steps alone
  }
  stages.push_back(whole);
  return stages;
}

template <class T>
std::vector<T> Unroll(const std::vector<Stage>& stages, const std::vector<std::vector<T>>& trained,
                      int64_t layers, int64_t inputs) {
  const auto first = stages.begin();
  NetworkShape shape(inputs, {}, first->shape.tied);
  for (int64_t k = 0; k < layers; ++k) shape.hidden.push_back((first + k)->shape.code());
  std::vector<T> flat(static_cast<size_t>(shape.parameters()));
  const Parameters<T> whole = ViewParameters(shape, std::span(flat));
  for (int64_t k = 0; k < layers; ++k) {
    const Parameters<const T> part =
        ViewParameters((first + k)->shape, std::span<const T>(trained[static_cast<size_t>(k)]));
    for (const auto& [from, to] : {std::pair<int64_t, int64_t>{0, k}, {1, shape.mirror(k)}}) {
      // A transposed layer's weight is its mirror's, copied there already.
      if (!part[from].transposed) {
        std::ranges::copy(part[from].weight.flat(), whole[to].weight.data);
      }
      std::ranges::copy(part[from].bias, whole[to].bias.begin());
    }
  }
  return flat;
}

template std::vector<float> Unroll(const std::vector<Stage>&,
                                   const std::vector<std::vector<float>>&, int64_t, int64_t);
template std::vector<double> Unroll(const std::vector<Stage>&,
                                    const std::vector<std::vector<double>>&, int64_t, int64_t);

}  // namespace rhohat
