// What a training run consists of: one stage, or those of greedy training (docs/math.md §6).
#pragma once

#include <span>
#include <string>
#include <vector>

#include "network/parameters.h"
#include "rhohat/options.h"

namespace rhohat {

// The minimisation of one objective.
struct Stage {
  std::string name;           // "layer 1", …, "fine-tuning"; empty where there is only one stage
  int64_t frozen_layers = 0;  // of the encoder: the stage trains on what they make of the rows
  NetworkShape shape;
  NetworkOptions network;
  ObjectiveOptions objective;
  int64_t iterations = 0;
  // Of the model that the stages up to this one come to: of the layers trained so far.
  NetworkOptions model_network;
  ObjectiveOptions model_objective;
};

// In their order. Where there are several, stage k < depth trains layer k on the codes of the
// layers below, and the last one trains them all.
std::vector<Stage> StagesOf(const TrainOptions& options, int64_t inputs);

// The parameters of the deep network that begins with `layers` greedy layers; `trained[k]` has
// those of stage k. What they unroll to is a network of that depth.
template <class T>
std::vector<T> Unroll(const std::vector<Stage>& stages, const std::vector<std::vector<T>>& trained,
                      int64_t layers, int64_t inputs);

// What Unroll() was made from: the parameters of each of the first `layers` stages.
template <class T>
std::vector<std::vector<T>> Split(const std::vector<Stage>& stages, std::span<const T> unrolled,
                                  int64_t layers, int64_t inputs);

}  // namespace rhohat
