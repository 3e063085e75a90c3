#include "train/stages.h"

#include <fmt/core.h>

#include <algorithm>

namespace rhohat {
namespace {

// One number stands for all layers.
std::vector<double> OfLayer(const std::vector<double>& values, size_t layer) {
  return {values.size() == 1 ? values.front() : values[layer]};
}

ObjectiveOptions OfLayersUpTo(ObjectiveOptions objective, size_t layer) {
  for (std::vector<double>* list : {&objective.rho, &objective.beta}) {
    if (list->size() > 1) list->resize(layer + 1);
  }
  if (layer > 0) objective.kappa = 0;  // defined for one layer alone
  return objective;
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
  stage.model_network = options.network;
  stage.model_network.hidden.resize(layer + 1);
  stage.model_objective = OfLayersUpTo(options.objective, layer);
  if (layer > 0) {
    // What is reconstructed are hidden activations, so the output is of their kind, as it will be
    // in the unrolled network.
    stage.network.decoder = options.network.activation;
    if (stage.network.decoder != Activation::kSigmoid) stage.objective.loss = Loss::kSquared;
  }
  stage.shape = {layer == 0 ? inputs : options.network.hidden[layer - 1], stage.network};
  return stage;
}

// The network that the first `layers` greedy layers unroll to.
NetworkShape UnrolledShape(const std::vector<Stage>& stages, int64_t layers, int64_t inputs) {
  NetworkShape shape(inputs, {}, stages.front().shape.tied);
  for (int64_t k = 0; k < layers; ++k) {
    shape.hidden.push_back(stages[static_cast<size_t>(k)].shape.code());
  }
  return shape;
}

template <class From, class To>
void CopyLayer(const LayerParameters<From>& from, const LayerParameters<To>& to) {
  // A transposed layer's weight is its mirror's, which is copied on its own.
  if (!from.transposed) std::ranges::copy(from.weight.flat(), to.weight.data);
  std::ranges::copy(from.bias, to.bias.data());
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
  whole.model_network = whole.network;
  whole.model_objective = whole.objective;
  stages.push_back(whole);
  return stages;
}

template <class T>
std::vector<T> Unroll(const std::vector<Stage>& stages, const std::vector<std::vector<T>>& trained,
                      int64_t layers, int64_t inputs) {
  const NetworkShape shape = UnrolledShape(stages, layers, inputs);
  std::vector<T> flat(static_cast<size_t>(shape.parameters()));
  const Parameters<T> whole = ViewParameters(shape, std::span(flat));
  for (int64_t k = 0; k < layers; ++k) {
    const auto stage = static_cast<size_t>(k);
    const Parameters<const T> part =
        ViewParameters(stages[stage].shape, std::span<const T>(trained[stage]));
    CopyLayer(part[0], whole[k]);
    CopyLayer(part[1], whole[shape.mirror(k)]);
  }
  return flat;
}

template <class T>
std::vector<std::vector<T>> Split(const std::vector<Stage>& stages, std::span<const T> unrolled,
                                  int64_t layers, int64_t inputs) {
  const NetworkShape shape = UnrolledShape(stages, layers, inputs);
  const Parameters<const T> whole = ViewParameters(shape, unrolled);
  std::vector<std::vector<T>> trained;
  for (int64_t k = 0; k < layers; ++k) {
    const NetworkShape& part_shape = stages[static_cast<size_t>(k)].shape;
    std::vector<T>& flat = trained.emplace_back(static_cast<size_t>(part_shape.parameters()));
    const Parameters<T> part = ViewParameters(part_shape, std::span(flat));
    CopyLayer(whole[k], part[0]);
    CopyLayer(whole[shape.mirror(k)], part[1]);
  }
  return trained;
}

template std::vector<float> Unroll(const std::vector<Stage>&,
                                   const std::vector<std::vector<float>>&, int64_t, int64_t);
template std::vector<double> Unroll(const std::vector<Stage>&,
                                    const std::vector<std::vector<double>>&, int64_t, int64_t);
template std::vector<std::vector<float>> Split(const std::vector<Stage>&, std::span<const float>,
                                               int64_t, int64_t);
template std::vector<std::vector<double>> Split(const std::vector<Stage>&, std::span<const double>,
                                                int64_t, int64_t);

}  // namespace rhohat
