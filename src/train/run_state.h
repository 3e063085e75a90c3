// What a run has come to: how its rows are prepared, the stages that are over, and where the one
// under way began. It lists what of this a checkpoint holds, and makes models from it.
//
// What the stage under way has come to is apart from it (stage_progress.h, training_stage.h).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/state.h"
#include "network/corruption.h"
#include "network/preparation.h"
#include "rhohat/model.h"
#include "rhohat/options.h"
#include "sweep/row_pass.h"
#include "train/run_meter.h"
#include "train/stage_progress.h"
#include "train/stages.h"

namespace rhohat {

// Not thread-safe. T is float or double.
template <class T>
struct RunState {
  // The options outlive the object; the data has so many columns.
  RunState(const TrainOptions& resolved, int64_t columns);

  const TrainOptions& options;
  const int64_t inputs;
  const std::vector<Stage> stages;

  Preparation preparation;
  bool is_prepared = false;
  RunMeter meter;
  std::vector<std::vector<T>> trained;  // parameters, stage by stage
  std::vector<double> frozen_rho_hat;   // of the greedy layers so far
  double input_low = 0;                 // ends of the prepared rows, where a stage found them
  double input_high = 0;

  // The stage under way, where it has begun.
  int64_t number = 0;
  bool has_begun = false;
  NoiseSource noise;

  const Stage& stage() const { return stages[static_cast<size_t>(number)]; }
  bool IsOver() const { return number == std::ssize(stages); }
  bool IsGreedyLayer() const { return number + 1 < std::ssize(stages); }
  uint64_t seed() const { return static_cast<uint64_t>(options.compute.seed); }

  // `under_way` is what the stage under way has read, which is not in the meter yet.
  void Visit(State& state, const SweepCounts& under_way);

  // Where the stage begins: at random, or at what the greedy layers unroll to.
  std::vector<T> Start() const;

  // The parameters of the layers below the stage's.
  std::vector<T> Below() const;

  // The parameters of all layers trained so far, with those of the stage under way at `point`.
  std::vector<T> Flat(std::span<const T> point);

  // What the stage has come to, but for the parameters.
  Model ModelOf(const StageProgress& progress, const DataIdentity& data,
                const std::string& stop_reason) const;

  // The stage's result, once it is part of the model, is what later stages stand on.
  void Keep(const Model& model);

 private:
  void VisitPreparation(State& state);
  void VisitMeter(State& state, const SweepCounts& under_way);
  std::vector<double> RhoHatOfAll(const std::vector<double>& rho_hat) const;
};

}  // namespace rhohat
