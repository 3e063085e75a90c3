#include "train/training_run.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "objective/compute_plan.h"
#include "rhohat/error.h"
#include "train/checkpointer.h"
#include "train/config_text.h"
#include "train/data_identity.h"
#include "train/input_range.h"
#include "train/model_file.h"
#include "train/range_hint.h"
#include "train/reporter.h"
#include "train/run_meter.h"
#include "train/speed_verdict.h"
#include "train/stages.h"
#include "train/training_stage.h"

namespace rhohat {
namespace {

// The time that is kept for the end, as a multiple of what the last checkpoint took: another one
// may take longer, and the pass before it has to come to a stand.
constexpr double kReserve = 3;

// Before the first one: as if all that is planned had to be written, at the pace of a slow disk;
// but no more than a fifth of the time.
double FirstReserve(const MemoryPlan& plan, const JobOptions& job) {
  constexpr double kBytesPerSecond = 200e6;
  return std::min(static_cast<double>(plan.total_bytes) / kBytesPerSecond, job.max_seconds / 5);
}

template <class T>
class TrainingRun {
 public:
  TrainingRun(const TrainOptions& options, const MemoryPlan& plan, SharedInput<T>& input,
              const DataStamp& stamp, RunFolder& folder, const RunControl& control,
              TimeLimit& limit)
      : options_(options),
        compute_(options.compute),
        input_(input),
        data_(input.data()),
        folder_(folder),
        control_(control),
        reporter_(folder, control_.observer),
        code_bytes_(plan.code_bytes),
        keeps_all_rows_(plan.kept_rows == plan.rows),
        stages_(StagesOf(options, data_.columns())),
        stamp_(stamp),
        limit_(limit),
        checkpoints_(options.job, control_, [this] { Save(); }),
        trained_(stages_.size()) {
    limit_.Reserve(FirstReserve(plan, options.job));
  }

  // Goes on from `resume` where that is not null.
  TrainResult Run(std::unique_ptr<StateReader> resume) {
    try {
      if (resume) Load(std::move(resume));
      if (!is_prepared_) Prepare();
      for (; stage_ < std::ssize(stages_); ++stage_) RunStage();
    } catch (const Stopped&) {
      Stop();
    }
    TrainResult result{
        .model = std::move(model_), .last = meter_.last, .model_path = folder_.model_path()};
    SaveModel(result.model, result.model_path);
    reporter_.Note(SpeedVerdict(result.last, SpeedContextOf()));
    reporter_.Note(fmt::format("the model is in {}", result.model_path));
    return result;
  }

 private:
  // ---- Checkpoints -----------------------------------------------------------------------------

  void Load(std::unique_ptr<StateReader> reader) {
    is_loading_ = true;
    const IterationMetrics last = folder_.LastMetrics();
    VisitRun(*reader);
    meter_.last = last;
    meter_.started = RunMeter::Clock::now();
    if (is_prepared_) SetPreparation();
    if (has_begun_) {
      MakeStage();
      VisitStage(*reader);
    }
    is_loading_ = false;
    reporter_.Note(meter_.last.iteration < 0
                       ? "goes on with the first evaluation"
                       : fmt::format("goes on after iteration {}", meter_.last.iteration));
  }

  void Visit(State& state) {
    VisitRun(state);
    if (has_begun_) VisitStage(state);
  }

  // What there is beside the stage under way.
  void VisitRun(State& state) {
    state.Number("stage", stage_, 0, std::ssize(stages_) - 1);
    for (int64_t stage = 0; stage < stage_; ++stage) {
      std::vector<T>& trained = trained_[static_cast<size_t>(stage)];
      const NetworkShape& shape = stages_[static_cast<size_t>(stage)].shape;
      trained.resize(static_cast<size_t>(shape.parameters()));
      state.Array(fmt::format("stage{}", stage), std::span(trained));
    }
    state.Vector("frozen_rho_hat", frozen_rho_hat_);
    state.Flag("prepared", is_prepared_);
    if (is_prepared_) VisitPreparation(state);
    state.Flag("begun", has_begun_);
    state.Number("input_low", input_low_);
    state.Number("input_high", input_high_);
    state.Number("noise_low", noise_.low);
    state.Number("noise_high", noise_.high);
    const StateGroup group(state, "meter");
    VisitMeter(state);
  }

  void VisitPreparation(State& state) {
    const StateGroup group(state, "preparation");
    preparation_.options = options_.prepare;
    std::vector<double> deviation = {preparation_.deviation};
    state.Number("deviation", preparation_.deviation);
    for (const auto& tensor : TensorsOf(preparation_, data_.columns(), deviation)) {
      if (tensor.values != &deviation) state.Vector(tensor.name, *tensor.values);
    }
  }

  void VisitMeter(State& state) {
    const SweepCounts under_way = training_ ? training_->counts() : SweepCounts();
    uint64_t bytes_read = meter_.bytes_read + under_way.bytes_read;
    double wait_seconds = meter_.wait_seconds + under_way.wait_seconds;
    double seconds = meter_.seconds_now();
    state.Number("evaluations", meter_.evaluations);
    state.Number("rows_evaluated", meter_.rows_evaluated);
    state.Number("bytes_read", bytes_read);
    state.Number("wait_seconds", wait_seconds);
    state.Number("seconds", seconds);
    if (!state.loading()) return;
    meter_.bytes_read = bytes_read;
    meter_.wait_seconds = wait_seconds;
    meter_.seconds_before = seconds;
  }

  void VisitStage(State& state) {
    {
      const StateGroup group(state, "progress");
      progress_->Visit(state);
    }
    const StateGroup group(state, "training");
    training_->Visit(state);
  }

  void Save() {
    const auto began = RunMeter::Clock::now();
    StateWriter writer;
    Visit(writer);
    CheckpointContent content{
        .config = ConfigText(options_), .data = stamp_, .metrics_bytes = folder_.SyncMetrics()};
    std::vector<T> flat;
    if (training_ && progress_->has_iterations()) {
      flat = Flat(training_->point());
      content.model = ModelOf("under way");
      content.parameters = std::as_bytes(std::span(flat));
    }
    const std::string path = folder_.SaveCheckpoint(writer, content);
    const std::chrono::duration<double> took = RunMeter::Clock::now() - began;
    limit_.ReserveForEach(kReserve * took.count());
    reporter_.Log(fmt::format("checkpoint: {} ({:.2g} s)", path, took.count()));
  }

  // An interrupted run leaves a checkpoint, if there was anything to save that is not there
  // already.
  [[noreturn]] void Stop() {
    if (!is_loading_ && !checkpoints_.saved_to_stop()) Save();
    const std::string line =
        fmt::format("{}: a checkpoint is in {}: go on with 'rhohat train --resume {}'",
                    limit_.ran_out() ? "stopped in time for --max-time" : "stopped on request",
                    folder_.LatestCheckpoint(), options_.run_directory);
    reporter_.Log(line);
    throw Stopped(line, static_cast<int>(options_.job.stop_code));
  }

  // ---- Preparation -----------------------------------------------------------------------------

  void Prepare() {
    const uint64_t bytes_before = data_.bytes_read();
    preparation_ = input_.Fit(options_.prepare, reporter_, control_);
    meter_.bytes_read += data_.bytes_read() - bytes_before;
    input_.InTurn([this] {
      WarnIfOutOfReach(data_, preparation_, options_.network, compute_.block_rows, reporter_);
    });
    SetPreparation();
  }

  void SetPreparation() {
    input_.Prepare(preparation_);
    is_prepared_ = true;
  }

  SpeedContext SpeedContextOf() const {
    return {.file = data_.files().front().file,
            .reads_twice = PassesOf(options_.objective) == 2 &&
                           compute_.schedule == Schedule::kTwoPass &&
                           WhyNotFused(options_.objective, stages_.back().shape).empty(),
            .keeps_all_rows = keeps_all_rows_};
  }

  SweepOptions SweepOf() {
    SweepOptions options = input_.sweep();
    options.pauses = &checkpoints_;
    return options;
  }

  // ---- Stages ----------------------------------------------------------------------------------

  const Stage& stage() const { return stages_[static_cast<size_t>(stage_)]; }
  bool IsGreedyLayer() const { return stage_ + 1 < std::ssize(stages_); }

  void RunStage() {
    if (!has_begun_) BeginStage();
    const std::string reason = training_->Minimise();
    const std::string& name = stage().name;
    reporter_.Note(fmt::format("{}stopped: {}", name.empty() ? "" : name + ": ", reason));
    Keep(reason);
    training_.reset();
    progress_.reset();
    has_begun_ = false;
    if (!IsGreedyLayer()) return;
    SaveModel(model_, folder_.LayerModel(stage_ + 1));
    model_ = {};  // its memory is needed
  }

  void BeginStage() {
    if (!stage().name.empty()) {
      reporter_.Note(fmt::format(
          "{}: {}{}", stage().name, stage().shape.Text(),
          options_.objective.kappa != stage().objective.kappa ? ", without contraction" : ""));
    }
    Freeze();
    noise_ = {.seed = static_cast<uint64_t>(compute_.seed)};
    if (stage().objective.noise.kind == NoiseKind::kSaltPepper) FindNoise();
    MakeStage();
    has_begun_ = true;
  }

  void Freeze() {
    if (stage().frozen_layers > 0) {
      const int64_t layers = stage().frozen_layers;
      NetworkOptions below = options_.network;
      below.hidden.resize(static_cast<size_t>(layers));
      input_.rows().Freeze({data_.columns(), below}, below,
                           Unroll(stages_, trained_, layers, data_.columns()), layers);
    } else if (stage_ > 0) {
      input_.rows().Thaw();
    }
  }

  RowTransform<T>* Transform() {
    PreparedRows<T>& rows = input_.rows();
    return rows.does_nothing() ? nullptr : &rows;
  }

  void FindNoise() {
    SweepOptions once = input_.sweep();
    once.cache_bytes = 0;
    once.stop = control_.stop;
    std::tie(noise_.low, noise_.high) = input_.Range([&] {
      Sweep<T> sweep(data_, input_.executor(), once, Transform());
      const std::pair<double, double> ends = FindInputRange(sweep);
      meter_.AddCounts(sweep.counts());
      return ends;
    });
  }

  void MakeStage() {
    if (is_loading_) {
      Freeze();
      noise_.seed = static_cast<uint64_t>(compute_.seed);
    }
    progress_.emplace(stage().name, data_.rows(), reporter_, meter_);
    training_.emplace(
        PhaseSurroundings<T>{.stage = stage(),
                             .options = options_.optimizer,
                             .sweep = SweepOf(),
                             .schedule = {.schedule = compute_.schedule, .code_bytes = code_bytes_},
                             .source = data_,
                             .executor = input_.executor(),
                             .transform = Transform(),
                             .input = input_,
                             .noise = noise_,
                             .reporter = reporter_,
                             .progress = *progress_,
                             .checkpoints = checkpoints_,
                             .control = control_},
        Start());
  }

  // Where the stage begins: at random, or at what the greedy layers unroll to.
  std::vector<T> Start() const {
    if (stage_ > 0 && stage().frozen_layers == 0) {
      return Unroll(stages_, trained_, stage().shape.depth(), data_.columns());
    }
    std::vector<T> start(static_cast<size_t>(stage().shape.parameters()));
    InitialiseParameters(stage().shape, static_cast<uint64_t>(compute_.seed), std::span(start));
    return start;
  }

  // The stage's result becomes part of the model: of the layers trained so far.
  void Keep(const std::string& reason) {
    const std::vector<T> flat = Flat(training_->point());
    model_ = {};  // its memory is needed for what takes its place
    model_ = ModelOf(reason);
    model_.parameters.assign(flat.begin(), flat.end());
    input_low_ = model_.input_low;
    input_high_ = model_.input_high;
    if (IsGreedyLayer()) frozen_rho_hat_ = model_.rho_hat;
  }

  // The parameters of all layers trained so far, with those of the stage under way at `point`.
  std::vector<T> Flat(std::span<const T> point) {
    std::vector<T>& trained = trained_[static_cast<size_t>(stage_)];
    trained.assign(point.begin(), point.end());
    if (!IsGreedyLayer()) return trained;
    return Unroll(stages_, trained_, std::ssize(stage().model_network.hidden), data_.columns());
  }

  // What the stage has come to, but for the parameters.
  Model ModelOf(const std::string& reason) const {
    return {.inputs = data_.columns(),
            .parameters = {},
            .rho_hat = RhoHatOfAll(),
            .input_low = stage().frozen_layers == 0 ? noise_.low : input_low_,
            .input_high = stage().frozen_layers == 0 ? noise_.high : input_high_,
            .prepare = preparation_,
            .network = stage().model_network,
            .objective = stage().model_objective,
            .compute = compute_,
            .optimizer = options_.optimizer,
            .data = stamp_.identity,
            .iterations = meter_.last.iteration,
            .cost = progress_->cost(),
            .stop_reason = reason};
  }

  // The layers below a greedy one have the means that they had when they were trained: theirs have
  // not changed since.
  std::vector<double> RhoHatOfAll() const {
    const std::vector<double>& rho_hat = progress_->rho_hat();
    if (!IsGreedyLayer()) return rho_hat;
    const NetworkShape whole(data_.columns(), stage().model_network);
    std::vector<double> all = frozen_rho_hat_;
    all.resize(static_cast<size_t>(whole.encoder_offset(stage().frozen_layers)));
    all.insert(all.end(), rho_hat.begin(), rho_hat.end());
    return all;
  }

  const TrainOptions& options_;
  const ComputeOptions& compute_;
  SharedInput<T>& input_;
  DataSet& data_;
  RunFolder& folder_;
  const RunControl& control_;
  Reporter reporter_;
  uint64_t code_bytes_;
  bool keeps_all_rows_;
  std::vector<Stage> stages_;

  const DataStamp& stamp_;
  TimeLimit& limit_;
  Checkpointer checkpoints_;
  bool is_loading_ = false;

  Preparation preparation_;
  bool is_prepared_ = false;
  RunMeter meter_;
  std::vector<std::vector<T>> trained_;  // parameters, stage by stage
  std::vector<double> frozen_rho_hat_;   // of the greedy layers so far
  double input_low_ = 0;                 // ends of the prepared rows, where a stage found them
  double input_high_ = 0;
  Model model_;  // what the stages so far have come to

  // The stage under way, where it has begun.
  int64_t stage_ = 0;
  bool has_begun_ = false;
  NoiseSource noise_;
  std::optional<StageProgress> progress_;
  std::optional<TrainingStage<T>> training_;
};

}  // namespace

template <class T>
TrainResult RunTraining(const TrainOptions& options, const MemoryPlan& plan, SharedInput<T>& input,
                        const DataStamp& stamp, RunFolder& folder,
                        std::unique_ptr<StateReader> resume, const RunControl& control,
                        TimeLimit& limit) {
  return TrainingRun<T>(options, plan, input, stamp, folder, control, limit).Run(std::move(resume));
}

#define RHOHAT_INSTANTIATE(T)                                                                     \
  template TrainResult RunTraining<T>(const TrainOptions&, const MemoryPlan&, SharedInput<T>&,    \
                                      const DataStamp&, RunFolder&, std::unique_ptr<StateReader>, \
                                      const RunControl&, TimeLimit&);
RHOHAT_INSTANTIATE(float)
RHOHAT_INSTANTIATE(double)
#undef RHOHAT_INSTANTIATE

}  // namespace rhohat
