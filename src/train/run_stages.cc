#include "train/run_stages.h"

#include <fmt/core.h>

#include <tuple>
#include <utility>

#include "train/input_range.h"
#include "train/range_hint.h"

namespace rhohat {

template <class T>
RunStages<T>::RunStages(const RunSurroundings<T>& around)
    : around_(around),
      input_(around.input),
      state_(around.options, around.input.data().columns()) {}

template <class T>
Model RunStages<T>::Run() {
  if (!state_.is_prepared) Prepare();
  for (; !state_.IsOver(); ++state_.number) RunStage();
  return std::move(model_);
}

// ---- Saving and loading
// --------------------------------------------------------------------------

template <class T>
void RunStages<T>::Save(State& state) {
  state_.Visit(state, training_ ? training_->counts() : SweepCounts());
  if (state_.has_begun) VisitStage(state);
}

template <class T>
void RunStages<T>::Load(State& state, const IterationMetrics& last) {
  state_.Visit(state, {});
  state_.meter.last = last;
  state_.meter.started = RunMeter::Clock::now();
  if (state_.is_prepared) SetPreparation();
  if (!state_.has_begun) return;
  Freeze();
  state_.noise.seed = state_.seed();
  MakeStage();
  VisitStage(state);
}

template <class T>
void RunStages<T>::VisitStage(State& state) {
  {
    const StateGroup group(state, "progress");
    progress_->Visit(state);
  }
  const StateGroup group(state, "training");
  training_->Visit(state);
}

// ---- Preparation
// ---------------------------------------------------------------------------------

template <class T>
void RunStages<T>::Prepare() {
  const TrainOptions& options = around_.options;
  DataSet& data = input_.data();
  const uint64_t bytes_before = data.bytes_read();
  state_.preparation = input_.Fit(options.prepare, around_.reporter, around_.control);
  state_.meter.bytes_read += data.bytes_read() - bytes_before;
  input_.InTurn([&] {
    WarnIfOutOfReach(data, state_.preparation, options.network, options.compute.block_rows,
                     around_.reporter);
  });
  SetPreparation();
}

template <class T>
void RunStages<T>::SetPreparation() {
  input_.Prepare(state_.preparation);
  state_.is_prepared = true;
}

template <class T>
RowTransform<T>* RunStages<T>::Transform() {
  PreparedRows<T>& rows = input_.rows();
  return rows.does_nothing() ? nullptr : &rows;
}

// ---- A stage
// -------------------------------------------------------------------------------------

template <class T>
void RunStages<T>::RunStage() {
  if (!state_.has_begun) BeginStage();
  const std::string reason = training_->Minimise();
  const std::string& name = state_.stage().name;
  around_.reporter.Note(fmt::format("{}stopped: {}", name.empty() ? "" : name + ": ", reason));
  Keep(reason);
  training_.reset();
  progress_.reset();
  state_.has_begun = false;
  if (!state_.IsGreedyLayer()) return;
  SaveModel(model_, around_.folder.LayerModel(state_.number + 1));
  model_ = {};  // its memory is needed
}

template <class T>
void RunStages<T>::BeginStage() {
  const Stage& stage = state_.stage();
  if (!stage.name.empty()) {
    const bool contracts = around_.options.objective.kappa == stage.objective.kappa;
    around_.reporter.Note(fmt::format("{}: {}{}", stage.name, stage.shape.Text(),
                                      contracts ? "" : ", without contraction"));
  }
  Freeze();
  state_.noise = {.seed = state_.seed()};
  if (stage.objective.noise.kind == NoiseKind::kSaltPepper) FindNoise();
  MakeStage();
  state_.has_begun = true;
}

template <class T>
void RunStages<T>::Freeze() {
  const int64_t layers = state_.stage().frozen_layers;
  if (layers > 0) {
    NetworkOptions below = around_.options.network;
    below.hidden.resize(static_cast<size_t>(layers));
    input_.rows().Freeze({state_.inputs, below}, below, state_.Below(), layers);
  } else if (state_.number > 0) {
    input_.rows().Thaw();
  }
}

template <class T>
void RunStages<T>::FindNoise() {
  SweepOptions once = input_.sweep();
  once.cache_bytes = 0;
  once.stop = around_.control.stop;
  std::tie(state_.noise.low, state_.noise.high) = input_.Range([&] {
    Sweep<T> sweep(input_.data(), input_.executor(), once, Transform());
    const std::pair<double, double> ends = FindInputRange(sweep);
    state_.meter.AddCounts(sweep.counts());
    return ends;
  });
}

template <class T>
void RunStages<T>::MakeStage() {
  const TrainOptions& options = around_.options;
  SweepOptions sweep = input_.sweep();
  sweep.pauses = &around_.checkpoints;
  progress_.emplace(state_.stage().name, input_.data().rows(), around_.reporter, state_.meter);
  training_.emplace(PhaseSurroundings<T>{.stage = state_.stage(),
                                         .options = options.optimizer,
                                         .sweep = sweep,
                                         .schedule = {.schedule = options.compute.schedule,
                                                      .code_bytes = around_.plan.code_bytes},
                                         .source = input_.data(),
                                         .executor = input_.executor(),
                                         .transform = Transform(),
                                         .input = input_,
                                         .noise = state_.noise,
                                         .reporter = around_.reporter,
                                         .progress = *progress_,
                                         .checkpoints = around_.checkpoints,
                                         .control = around_.control},
                    state_.Start());
}

template <class T>
Model RunStages<T>::ModelOf(const std::string& stop_reason) const {
  return state_.ModelOf(*progress_, around_.data, stop_reason);
}

// The stage's result becomes part of the model: of the layers trained so far.
template <class T>
void RunStages<T>::Keep(const std::string& stop_reason) {
  const std::vector<T> flat = Flat();
  model_ = {};  // its memory is needed for what takes its place
  model_ = ModelOf(stop_reason);
  model_.parameters.assign(flat.begin(), flat.end());
  state_.Keep(model_);
}

template class RunStages<float>;
template class RunStages<double>;

}  // namespace rhohat
