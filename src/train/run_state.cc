#include "train/run_state.h"

#include <fmt/core.h>

#include "network/parameters.h"
#include "train/model_file.h"

namespace rhohat {

template <class T>
RunState<T>::RunState(const TrainOptions& resolved, int64_t columns)
    : options(resolved),
      inputs(columns),
      stages(StagesOf(options, inputs)),
      trained(stages.size()) {}

// ---- What is saved
// -------------------------------------------------------------------------------

template <class T>
void RunState<T>::Visit(State& state, const SweepCounts& under_way) {
  state.Number("stage", number, 0, std::ssize(stages) - 1);
  for (int64_t stage = 0; stage < number; ++stage) {
    std::vector<T>& parameters = trained[static_cast<size_t>(stage)];
    const NetworkShape& shape = stages[static_cast<size_t>(stage)].shape;
    parameters.resize(static_cast<size_t>(shape.parameters()));
    state.Array(fmt::format("stage{}", stage), std::span(parameters));
  }
  state.Vector("frozen_rho_hat", frozen_rho_hat);
  state.Flag("prepared", is_prepared);
  if (is_prepared) VisitPreparation(state);
  state.Flag("begun", has_begun);
  state.Number("input_low", input_low);
  state.Number("input_high", input_high);
  state.Number("noise_low", noise.low);
  state.Number("noise_high", noise.high);
  VisitMeter(state, under_way);
}

template <class T>
void RunState<T>::VisitPreparation(State& state) {
  const StateGroup group(state, "preparation");
  preparation.options = options.prepare;
  std::vector<double> deviation = {preparation.deviation};
  state.Number("deviation", preparation.deviation);
  for (const auto& tensor : TensorsOf(preparation, inputs, deviation)) {
    if (tensor.values != &deviation) state.Vector(tensor.name, *tensor.values);
  }
}

template <class T>
void RunState<T>::VisitMeter(State& state, const SweepCounts& under_way) {
  const StateGroup group(state, "meter");
  uint64_t bytes_read = meter.bytes_read + under_way.bytes_read;
  double wait_seconds = meter.wait_seconds + under_way.wait_seconds;
  double seconds = meter.seconds_now();
  state.Number("evaluations", meter.evaluations);
  state.Number("rows_evaluated", meter.rows_evaluated);
  state.Number("bytes_read", bytes_read);
  state.Number("wait_seconds", wait_seconds);
  state.Number("seconds", seconds);
  if (!state.loading()) return;
  meter.bytes_read = bytes_read;
  meter.wait_seconds = wait_seconds;
  meter.seconds_before = seconds;
}

// ---- Parameters and models
// -----------------------------------------------------------------------

template <class T>
std::vector<T> RunState<T>::Start() const {
  if (number > 0 && stage().frozen_layers == 0) {
    return Unroll(stages, trained, stage().shape.depth(), inputs);
  }
  std::vector<T> start(static_cast<size_t>(stage().shape.parameters()));
  InitialiseParameters(stage().shape, seed(), std::span(start));
  return start;
}

template <class T>
std::vector<T> RunState<T>::Below() const {
  return Unroll(stages, trained, stage().frozen_layers, inputs);
}

template <class T>
std::vector<T> RunState<T>::Flat(std::span<const T> point) {
  std::vector<T>& parameters = trained[static_cast<size_t>(number)];
  parameters.assign(point.begin(), point.end());
  if (!IsGreedyLayer()) return parameters;
  return Unroll(stages, trained, std::ssize(stage().model_network.hidden), inputs);
}

template <class T>
Model RunState<T>::ModelOf(const StageProgress& progress, const DataIdentity& data,
                           const std::string& stop_reason) const {
  return {.inputs = inputs,
          .parameters = {},
          .rho_hat = RhoHatOfAll(progress.rho_hat()),
          .input_low = stage().frozen_layers == 0 ? noise.low : input_low,
          .input_high = stage().frozen_layers == 0 ? noise.high : input_high,
          .prepare = preparation,
          .network = stage().model_network,
          .objective = stage().model_objective,
          .compute = options.compute,
          .optimizer = options.optimizer,
          .data = data,
          .iterations = meter.last.iteration,
          .cost = progress.cost(),
          .stop_reason = stop_reason};
}

// The layers below a greedy one have the means that they had when they were trained: theirs have
// not changed since.
template <class T>
std::vector<double> RunState<T>::RhoHatOfAll(const std::vector<double>& rho_hat) const {
  if (!IsGreedyLayer()) return rho_hat;
  const NetworkShape whole(inputs, stage().model_network);
  std::vector<double> all = frozen_rho_hat;
  all.resize(static_cast<size_t>(whole.encoder_offset(stage().frozen_layers)));
  all.insert(all.end(), rho_hat.begin(), rho_hat.end());
  return all;
}

template <class T>
void RunState<T>::Keep(const Model& model) {
  input_low = model.input_low;
  input_high = model.input_high;
  if (IsGreedyLayer()) frozen_rho_hat = model.rho_hat;
}

template struct RunState<float>;
template struct RunState<double>;

}  // namespace rhohat
