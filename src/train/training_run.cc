#include "train/training_run.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "cluster/limits.h"
#include "math/vector_ops.h"
#include "network/parameters.h"
#include "objective/objective.h"
#include "optimize/gradient_descent.h"
#include "optimize/lbfgs.h"
#include "optimize/stop_rule.h"
#include "rhohat/error.h"
#include "sweep/executor.h"
#include "sweep/sweep.h"
#include "train/data_identity.h"
#include "train/range_hint.h"
#include "train/reporter.h"

namespace rhohat {
namespace {

template <class T>
std::unique_ptr<Optimizer<T>> MakeOptimizer(const OptimizerOptions& options,
                                            std::span<const T> start) {
  switch (options.kind) {
    case OptimizerKind::kLbfgs:
      return std::make_unique<Lbfgs<T>>(start, LbfgsOptions{.history = options.history});
    case OptimizerKind::kGradientDescent:
      return std::make_unique<GradientDescent<T>>(
          start, GradientDescentOptions{.learning_rate = options.learning_rate,
                                        .momentum = options.momentum});
  }
  throw Error(ErrorKind::kInternal, "unknown optimiser");
}

template <class T>
class TrainingRun {
 public:
  TrainingRun(const TrainOptions& options, const ComputeOptions& compute, const MemoryPlan& plan,
              DataSet& data, RunFolder& folder, const RunControl& control)
      : options_(options),
        compute_(compute),
        data_(data),
        folder_(folder),
        control_(control),
        reporter_(folder, control.observer),
        executor_(plan.threads),
        sweep_(data, executor_,
               {.block_rows = compute.block_rows,
                .lanes = compute.lanes,
                .blocks_ahead = plan.blocks_ahead,
                .stop = control.stop}),
        shape_{data.columns(), options.network.hidden.front()},
        objective_(shape_, options.network, options.objective, sweep_),
        gradient_(static_cast<size_t>(shape_.parameters())),
        stop_rule_({.iterations = options.optimizer.iterations,
                    .tolerance = options.optimizer.tolerance,
                    .gradient_tolerance = options.optimizer.gradient_tolerance}) {
    if (control.observer != nullptr) {
      sweep_.set_rows_done([this](int64_t done) { ReportPass(done); });
    }
  }

  TrainResult Run() {
    WarnIfOutOfReach(data_, options_.network, compute_.block_rows, reporter_);
    {
      AlignedBuffer<T> start(gradient_.size());
      InitialiseParameters(shape_, static_cast<uint64_t>(compute_.seed), start.span());
      optimizer_ = MakeOptimizer<T>(options_.optimizer, start.span());
    }
    try {
      const std::string reason = Minimise();
      reporter_.Note(fmt::format("stopped: {}", reason));
      if (last_.iteration == 0 && options_.optimizer.iterations > 0 && last_.gradient_norm > 0) {
        reporter_.Warn("no step lowered J: the model is the random starting point");
      }
      return Finish(reason);
    } catch (const Stopped&) {
      LeaveCheckpoint();
    } catch (const Error&) {
      KeepParameters();
      throw;
    }
    throw Error(ErrorKind::kInternal, "a stopped run went on");
  }

 private:
  // Returns why it ended.
  std::string Minimise() {
    iteration_started_ = Clock::now();
    while (true) {
      const CostTerms cost = EvaluateTrial();
      switch (optimizer_->Tell(cost.total(), gradient_.span())) {
        case Step::kSearching:
          break;
        case Step::kFailed:
          if (!std::isfinite(cost.total()) && !KeepsItsBest()) ThrowNotFinite(cost);
          // The very first point may be a minimum, and still is a result.
          if (last_.iteration < 0) NoteIteration(cost);
          return std::string(optimizer_->failure());
        case Step::kAccepted:
          NoteIteration(cost);
          if (auto reason = stop_rule_.Stop(cost.total(), last_.gradient_norm)) return *reason;
          break;
      }
      if (control_.stop_requested()) throw Stopped("stopped on request");
    }
  }

  [[noreturn]] void ThrowNotFinite(const CostTerms& cost) const {
    if (last_.iteration < 0) {
      throw Error(ErrorKind::kBadData,
                  fmt::format("J is {} at the starting point: the data's values or the objective's "
                              "weights are too large",
                              cost.total()));
    }
    throw Error(ErrorKind::kUsage,
                fmt::format("after iteration {}: {}", last_.iteration, optimizer_->failure()));
  }

  CostTerms EvaluateTrial() {
    rows_before_evaluation_ = sweep_.counts().rows;
    ++evaluations_;
    return objective_.EvaluateWithGradient(optimizer_->trial(), gradient_.span());
  }

  void ReportPass(int64_t rows_done) {
    control_.observer->OnPassProgress(
        {.evaluation = evaluations_,
         .rows_done = sweep_.counts().rows - rows_before_evaluation_ + rows_done,
         .rows_total = 2 * data_.rows()});
  }

  void NoteIteration(const CostTerms& cost) {
    const Clock::time_point now = Clock::now();
    const auto seconds_since = [&](Clock::time_point then) {
      return std::chrono::duration<double>(now - then).count();
    };
    rho_hat_.assign(objective_.rho_hat().begin(), objective_.rho_hat().end());
    const auto [smallest, largest] = std::ranges::minmax(rho_hat_);
    double sum = 0;
    for (const double mean : rho_hat_) sum += mean;

    const int64_t evaluations_here = evaluations_ - evaluations_noted_;
    evaluations_noted_ = evaluations_;
    const double seconds_here = seconds_since(iteration_started_);
    iteration_started_ = now;
    last_ = {.iteration = last_.iteration + 1,
             .data_passes = static_cast<double>(evaluations_),
             .cost = cost.total(),
             .reconstruction = cost.reconstruction,
             .weight_decay = cost.weight_decay,
             .sparsity = cost.sparsity,
             .l1 = cost.l1,
             .contraction = cost.contraction,
             .gradient_norm = Norm<T>(gradient_.span()),
             .rho_hat_mean = sum / static_cast<double>(rho_hat_.size()),
             .rho_hat_min = smallest,
             .rho_hat_max = largest,
             .seconds = seconds_since(started_),
             .rows_per_second = static_cast<double>(evaluations_here * data_.rows()) /
                                std::max(seconds_here, 1e-9),
             .rows_in_sample = data_.rows(),
             .bytes_read = sweep_.counts().bytes_read,
             .wait_seconds = sweep_.counts().wait_seconds,
             .peak_rss_bytes = PeakResidentBytes()};
    if (objective_.extreme_units() != extreme_units_) {
      extreme_units_ = objective_.extreme_units();
      reporter_.Note(
          fmt::format("iteration {}: {} units have a mean activation of 0 or 1 to rounding",
                      last_.iteration, extreme_units_));
    }
    reporter_.Iteration(last_);
  }

  Model MakeModel(const std::string& reason) const {
    const Parameters<const T> parameters = ViewParameters(shape_, optimizer_->point());
    const auto copy = [](std::span<const T> values) {
      return std::vector<double>(values.begin(), values.end());
    };
    return {.inputs = shape_.inputs,
            .hidden = shape_.hidden,
            .encoder_weight = copy(parameters.encoder_weight.flat()),
            .encoder_bias = copy(parameters.encoder_bias),
            .decoder_weight = copy(parameters.decoder_weight.flat()),
            .decoder_bias = copy(parameters.decoder_bias),
            .rho_hat = rho_hat_,
            .network = options_.network,
            .objective = options_.objective,
            .compute = compute_,
            .optimizer = options_.optimizer,
            .data = IdentityOf(data_),
            .iterations = last_.iteration,
            .cost = last_.cost,
            .stop_reason = reason};
  }

  TrainResult Finish(const std::string& reason) {
    TrainResult result{
        .model = MakeModel(reason), .last = last_, .model_path = folder_.model_path()};
    SaveModel(result.model, result.model_path);
    reporter_.Note(fmt::format("the model is in {}", result.model_path));
    return result;
  }

  // L-BFGS may end on a trial that is out of bounds, and still stands at a sound point.
  bool KeepsItsBest() const {
    return last_.iteration >= 0 && options_.optimizer.kind == OptimizerKind::kLbfgs;
  }

  // A failure late in a run must not cost what was reached; where it cannot be saved either, the
  // first failure is the one to tell.
  void KeepParameters() const {
    if (last_.iteration < 0) return;
    try {
      SaveModel(MakeModel("interrupted"), folder_.checkpoint_path("interrupted"));
    } catch (const Error&) {
      return;
    }
  }

  // What an interrupted run leaves: a model of the last finished iteration.
  [[noreturn]] void LeaveCheckpoint() {
    if (last_.iteration < 0) {
      const std::string line = "stopped before the first evaluation was done: nothing to keep";
      folder_.Log(LogLevel::kWarning, line);
      throw Stopped(line);
    }
    const std::string path = folder_.checkpoint_path("interrupted");
    SaveModel(MakeModel("interrupted"), path);
    const std::string line =
        fmt::format("stopped after iteration {}: its parameters are in {}", last_.iteration, path);
    folder_.Log(LogLevel::kWarning, line);
    throw Stopped(line);
  }

  using Clock = std::chrono::steady_clock;

  const TrainOptions& options_;
  const ComputeOptions& compute_;
  DataSet& data_;
  RunFolder& folder_;
  const RunControl& control_;
  Reporter reporter_;
  Executor executor_;
  Sweep<T> sweep_;
  NetworkShape shape_;
  Objective<T> objective_;
  AlignedBuffer<T> gradient_;
  std::unique_ptr<Optimizer<T>> optimizer_;
  StopRule stop_rule_;

  IterationMetrics last_{.iteration = -1};
  std::vector<double> rho_hat_;  // at the last iteration
  int64_t extreme_units_ = 0;
  int64_t evaluations_ = 0;
  int64_t evaluations_noted_ = 0;
  int64_t rows_before_evaluation_ = 0;
  Clock::time_point started_ = Clock::now();
  Clock::time_point iteration_started_ = started_;
};

}  // namespace

template <class T>
TrainResult RunTraining(const TrainOptions& options, const ComputeOptions& compute,
                        const MemoryPlan& plan, DataSet& data, RunFolder& folder,
                        const RunControl& control) {
  return TrainingRun<T>(options, compute, plan, data, folder, control).Run();
}

template TrainResult RunTraining<float>(const TrainOptions&, const ComputeOptions&,
                                        const MemoryPlan&, DataSet&, RunFolder&, const RunControl&);
template TrainResult RunTraining<double>(const TrainOptions&, const ComputeOptions&,
                                         const MemoryPlan&, DataSet&, RunFolder&,
                                         const RunControl&);

}  // namespace rhohat
