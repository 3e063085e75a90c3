#include "train/training_run.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "objective/compute_plan.h"
#include "objective/prepared_rows.h"
#include "rhohat/error.h"
#include "sweep/executor.h"
#include "train/data_identity.h"
#include "train/fit_preparation.h"
#include "train/input_range.h"
#include "train/range_hint.h"
#include "train/reporter.h"
#include "train/run_meter.h"
#include "train/speed_verdict.h"
#include "train/stages.h"
#include "train/training_stage.h"

namespace rhohat {
namespace {

template <class T>
class TrainingRun {
 public:
  TrainingRun(const TrainOptions& options, const MemoryPlan& plan, DataSet& data, RunFolder& folder,
              const RunControl& control)
      : options_(options),
        compute_(options.compute),
        data_(data),
        folder_(folder),
        control_(control),
        reporter_(folder, control.observer),
        executor_(plan.threads),
        blocks_ahead_(plan.blocks_ahead),
        cache_bytes_(plan.cache_bytes),
        code_bytes_(plan.code_bytes),
        keeps_all_rows_(plan.kept_rows == plan.rows),
        stages_(StagesOf(options, data.columns())),
        trained_(stages_.size()) {}

  TrainResult Run(std::optional<ResumePoint> resume) {
    const size_t first = resume ? resume->stages_done : 0;
    if (resume) GoOnFrom(std::move(*resume));
    Prepare();
    for (size_t number = first; number < stages_.size(); ++number) RunStage(number);
    TrainResult result{
        .model = std::move(model_), .last = meter_.last, .model_path = folder_.model_path()};
    SaveModel(result.model, result.model_path);
    reporter_.Note(SpeedVerdict(result.last, SpeedContextOf()));
    reporter_.Note(fmt::format("the model is in {}", result.model_path));
    return result;
  }

 private:
  // Takes the model over: a second copy of it is not in the plan.
  void GoOnFrom(ResumePoint&& point) {
    model_ = std::move(point.model);
    preparation_ = model_.prepare;
    input_low_ = model_.input_low;
    input_high_ = model_.input_high;
    frozen_rho_hat_ = model_.rho_hat;
    const std::vector<T> flat(model_.parameters.begin(), model_.parameters.end());
    std::vector<std::vector<T>> parts =
        Split(stages_, std::span<const T>(flat), static_cast<int64_t>(point.stages_done),
              data_.columns());
    std::ranges::move(parts, trained_.begin());
    meter_.last = point.last;
    meter_.rows_evaluated = std::round(point.last.data_passes * static_cast<double>(data_.rows()));
    meter_.bytes_read = point.last.bytes_read;
    meter_.wait_seconds = point.last.wait_seconds;
    meter_.seconds_before = point.last.seconds;
    reporter_.Note(fmt::format("goes on after {}", stages_[point.stages_done - 1].name));
  }

  void Prepare() {
    if (preparation_.options != options_.prepare) {
      reporter_.Note(fmt::format("fitting --prepare to {} rows", data_.rows()));
      preparation_ = FitPreparation(options_.prepare, data_, executor_, compute_.block_rows,
                                    blocks_ahead_, control_);
      meter_.bytes_read += data_.bytes_read();
    }
    WarnIfOutOfReach(data_, preparation_, options_.network, compute_.block_rows, reporter_);
    prepared_.emplace(preparation_, data_.columns(), compute_.block_rows, executor_.threads());
  }

  SpeedContext SpeedContextOf() const {
    return {.file = data_.files().front().file,
            .reads_twice = PassesOf(options_.objective) == 2 &&
                           compute_.schedule == Schedule::kTwoPass &&
                           WhyNotFused(options_.objective, stages_.back().shape).empty(),
            .keeps_all_rows = keeps_all_rows_};
  }

  SweepOptions SweepOf() const {
    return {.block_rows = compute_.block_rows,
            .lanes = compute_.lanes,
            .blocks_ahead = blocks_ahead_,
            .cache_bytes = cache_bytes_,
            .stop = control_.stop};
  }

  void RunStage(size_t number) {
    const Stage& stage = stages_[number];
    if (stage.frozen_layers > 0) {
      const int64_t layers = stage.frozen_layers;
      NetworkOptions below = options_.network;
      below.hidden.resize(static_cast<size_t>(layers));
      prepared_->Freeze({data_.columns(), below}, below,
                        Unroll(stages_, trained_, layers, data_.columns()), layers);
    } else if (number > 0) {
      prepared_->Thaw();
    }
    RowTransform<T>* const transform = prepared_->does_nothing() ? nullptr : &*prepared_;
    if (!stage.name.empty()) {
      reporter_.Note(fmt::format(
          "{}: {}{}", stage.name, stage.shape.Text(),
          options_.objective.kappa != stage.objective.kappa ? ", without contraction" : ""));
    }
    const NoiseSource noise = NoiseOf(stage, transform);
    StageProgress progress(stage.name, data_.rows(), reporter_, meter_);
    TrainingStage<T> training(
        {.stage = stage,
         .options = options_.optimizer,
         .sweep = SweepOf(),
         .schedule = {.schedule = compute_.schedule, .code_bytes = code_bytes_},
         .source = data_,
         .executor = executor_,
         .transform = transform,
         .noise = noise,
         .reporter = reporter_,
         .progress = progress,
         .control = control_},
        Start(number));
    MinimiseOrKeep(number, {training, progress, noise});
  }

  NoiseSource NoiseOf(const Stage& stage, RowTransform<T>* transform) {
    NoiseSource noise{.seed = static_cast<uint64_t>(compute_.seed)};
    if (stage.objective.noise.kind != NoiseKind::kSaltPepper) return noise;
    SweepOptions once = SweepOf();
    once.cache_bytes = 0;
    Sweep<T> sweep(data_, executor_, once, transform);
    try {
      std::tie(noise.low, noise.high) = FindInputRange(sweep);
    } catch (const Stopped&) {
      LeaveCheckpoint();
    }
    meter_.AddCounts(sweep.counts());
    return noise;
  }

  // Where the stage begins: at random, or at what the greedy layers unroll to.
  std::vector<T> Start(size_t number) const {
    const Stage& stage = stages_[number];
    if (number > 0 && stage.frozen_layers == 0) {
      return Unroll(stages_, trained_, stage.shape.depth(), data_.columns());
    }
    std::vector<T> start(static_cast<size_t>(stage.shape.parameters()));
    InitialiseParameters(stage.shape, static_cast<uint64_t>(compute_.seed), std::span(start));
    return start;
  }

  // A stage while it runs.
  struct Running {
    TrainingStage<T>& training;
    const StageProgress& progress;
    const NoiseSource& noise;
  };

  void MinimiseOrKeep(size_t number, const Running& running) {
    try {
      const std::string reason = running.training.Minimise();
      const std::string& name = stages_[number].name;
      reporter_.Note(fmt::format("{}stopped: {}", name.empty() ? "" : name + ": ", reason));
      Keep(number, running, reason);
      if (number + 1 < stages_.size()) {
        SaveModel(model_, folder_.checkpoint_path(fmt::format("layer-{}", number + 1)));
      }
    } catch (const Stopped&) {
      if (running.progress.has_iterations()) Keep(number, running, "interrupted");
      LeaveCheckpoint();
    } catch (const Error&) {
      KeepWhatIsThere(number, running);
      throw;
    }
  }

  // The stage's result becomes part of the model: of the layers trained so far.
  void Keep(size_t number, const Running& running, const std::string& reason) {
    const Stage& stage = stages_[number];
    trained_[number].assign(running.training.point().begin(), running.training.point().end());
    const std::vector<T> flat =
        IsGreedyLayer(number)
            ? Unroll(stages_, trained_, std::ssize(stage.model_network.hidden), data_.columns())
            : trained_[number];
    if (stage.frozen_layers == 0) {
      input_low_ = running.noise.low;
      input_high_ = running.noise.high;
    }
    model_ = {};  // its memory is needed for what takes its place
    model_ = {.inputs = data_.columns(),
              .parameters = {flat.begin(), flat.end()},
              .rho_hat = RhoHatOfAll(number, running.progress.rho_hat()),
              .input_low = input_low_,
              .input_high = input_high_,
              .prepare = preparation_,
              .network = stage.model_network,
              .objective = stage.model_objective,
              .compute = compute_,
              .optimizer = options_.optimizer,
              .data = IdentityOf(data_),
              .iterations = meter_.last.iteration,
              .cost = running.progress.cost(),
              .stop_reason = reason};
  }

  // The layers below a greedy one have the means that they had when they were trained: theirs have
  // not changed since.
  std::vector<double> RhoHatOfAll(size_t number, const std::vector<double>& rho_hat) {
    if (!IsGreedyLayer(number)) return rho_hat;
    const Stage& stage = stages_[number];
    const NetworkShape whole(data_.columns(), stage.model_network);
    frozen_rho_hat_.resize(static_cast<size_t>(whole.encoder_offset(stage.frozen_layers)));
    frozen_rho_hat_.insert(frozen_rho_hat_.end(), rho_hat.begin(), rho_hat.end());
    return frozen_rho_hat_;
  }

  bool IsGreedyLayer(size_t number) const { return number + 1 < stages_.size(); }

  // A failure late in a run must not cost what was reached; where it cannot be saved either, the
  // first failure is the one to tell.
  void KeepWhatIsThere(size_t number, const Running& running) {
    if (!running.progress.has_iterations()) return;
    try {
      Keep(number, running, "interrupted");
      SaveModel(model_, folder_.checkpoint_path("interrupted"));
    } catch (const Error&) {
      return;
    }
  }

  // What an interrupted run leaves: a model of the last finished iteration.
  [[noreturn]] void LeaveCheckpoint() {
    if (meter_.last.iteration < 0) {
      const std::string line = "stopped before the first evaluation was done: nothing to keep";
      folder_.Log(LogLevel::kWarning, line);
      throw Stopped(line);
    }
    const std::string path = folder_.checkpoint_path("interrupted");
    SaveModel(model_, path);
    const std::string line = fmt::format("stopped after iteration {}: its parameters are in {}",
                                         meter_.last.iteration, path);
    folder_.Log(LogLevel::kWarning, line);
    throw Stopped(line);
  }

  const TrainOptions& options_;
  const ComputeOptions& compute_;
  DataSet& data_;
  RunFolder& folder_;
  const RunControl& control_;
  Reporter reporter_;
  Executor executor_;
  int64_t blocks_ahead_;
  uint64_t cache_bytes_;
  uint64_t code_bytes_;
  bool keeps_all_rows_;
  std::vector<Stage> stages_;

  Preparation preparation_;
  std::optional<PreparedRows<T>> prepared_;
  RunMeter meter_;
  std::vector<std::vector<T>> trained_;  // parameters, stage by stage
  std::vector<double> frozen_rho_hat_;   // of the greedy layers so far
  double input_low_ = 0;
  double input_high_ = 0;
  Model model_;  // what the stages so far have come to
};

}  // namespace

template <class T>
TrainResult RunTraining(const TrainOptions& options, const MemoryPlan& plan, DataSet& data,
                        RunFolder& folder, std::optional<ResumePoint> resume,
                        const RunControl& control) {
  return TrainingRun<T>(options, plan, data, folder, control).Run(std::move(resume));
}

template TrainResult RunTraining<float>(const TrainOptions&, const MemoryPlan&, DataSet&,
                                        RunFolder&, std::optional<ResumePoint>, const RunControl&);
template TrainResult RunTraining<double>(const TrainOptions&, const MemoryPlan&, DataSet&,
                                         RunFolder&, std::optional<ResumePoint>, const RunControl&);

}  // namespace rhohat
