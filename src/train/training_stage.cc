#include "train/training_stage.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "cluster/limits.h"
#include "math/vector_ops.h"
#include "optimize/conjugate_gradient.h"
#include "optimize/gradient_descent.h"
#include "optimize/lbfgs.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

template <class T>
std::unique_ptr<Optimizer<T>> MakeOptimizer(const OptimizerOptions& options,
                                            std::span<const T> start) {
  switch (options.methods.front()) {
    case OptimizerKind::kLbfgs:
      return std::make_unique<Lbfgs<T>>(start, LbfgsOptions{.history = options.history});
    case OptimizerKind::kConjugateGradient:
      return std::make_unique<ConjugateGradient<T>>(start);
    case OptimizerKind::kGradientDescent:
      return std::make_unique<GradientDescent<T>>(
          start, GradientDescentOptions{
                     .learning_rate = options.learning_rate > 0 ? options.learning_rate : 0.1,
                     .momentum = options.momentum});
    default:
      throw Error(ErrorKind::kInternal, "unknown optimiser");
  }
}

double SecondsBetween(RunMeter::Clock::time_point from, RunMeter::Clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

}  // namespace

template <class T>
TrainingStage<T>::TrainingStage(const Stage& stage, const StageSurroundings<T>& surroundings,
                                std::span<const T> start)
    : stage_(stage),
      around_(surroundings),
      sweep_(around_.source, around_.executor, around_.sweep, around_.transform),
      objective_(stage.shape, stage.network, stage.objective, around_.noise, sweep_),
      gradient_(start.size()),
      optimizer_(MakeOptimizer<T>(around_.optimizer, start)),
      stop_rule_({.iterations = stage.iterations,
                  .tolerance = around_.optimizer.tolerance,
                  .gradient_tolerance = around_.optimizer.gradient_tolerance}),
      evaluations_noted_(around_.meter.evaluations) {
  if (around_.control.observer != nullptr) {
    sweep_.set_rows_done([this](int64_t done) { ReportPass(done); });
  }
}

template <class T>
std::string TrainingStage<T>::Minimise() {
  while (true) {
    const CostTerms cost = EvaluateTrial();
    if (!has_iterations() && !std::isfinite(Norm<T>(gradient_.span()))) ThrowNotFinite(cost);
    switch (optimizer_->Tell(cost.total(), gradient_.span())) {
      case Step::kSearching:
        break;
      case Step::kFailed:
        if (!std::isfinite(cost.total()) && !KeepsItsBest()) ThrowNotFinite(cost);
        // The very first point may be a minimum, and still is a result.
        if (!has_iterations()) NoteIteration(cost);
        return std::string(optimizer_->failure());
      case Step::kAccepted:
        NoteIteration(cost);
        if (auto reason = stop_rule_.Stop(cost.total(), around_.meter.last.gradient_norm)) {
          return *reason;
        }
        break;
    }
    if (around_.control.stop_requested()) throw Stopped("stopped on request");
  }
}

template <class T>
void TrainingStage<T>::ThrowNotFinite(const CostTerms& cost) const {
  if (!has_iterations()) {
    throw Error(ErrorKind::kBadData,
                fmt::format("J is {}, and its gradient's norm {}, at the starting point: the "
                            "data's values or the objective's weights are too large; --prepare can "
                            "scale the data",
                            cost.total(), Norm<T>(gradient_.span())));
  }
  throw Error(ErrorKind::kUsage, fmt::format("after iteration {}: {}", around_.meter.last.iteration,
                                             optimizer_->failure()));
}

// A line search may end on a trial that is out of bounds, and still stands at a sound point.
template <class T>
bool TrainingStage<T>::KeepsItsBest() const {
  return has_iterations() && around_.optimizer.methods.front() != OptimizerKind::kGradientDescent;
}

template <class T>
CostTerms TrainingStage<T>::EvaluateTrial() {
  rows_before_evaluation_ = sweep_.counts().rows;
  ++around_.meter.evaluations;
  return objective_.EvaluateWithGradient(optimizer_->trial(), gradient_.span());
}

template <class T>
void TrainingStage<T>::ReportPass(int64_t rows_done) {
  around_.control.observer->OnPassProgress(
      {.evaluation = around_.meter.evaluations,
       .rows_done = sweep_.counts().rows - rows_before_evaluation_ + rows_done,
       .rows_total = objective_.passes() * sweep_.rows()});
}

template <class T>
void TrainingStage<T>::NoteIteration(const CostTerms& cost) {
  const RunMeter::Clock::time_point now = RunMeter::Clock::now();
  RunMeter& meter = around_.meter;
  rho_hat_.assign(objective_.rho_hat().begin(), objective_.rho_hat().end());
  const auto [smallest, largest] = std::ranges::minmax(rho_hat_);
  double sum = 0;
  for (const double mean : rho_hat_) sum += mean;

  const int64_t evaluations_here = meter.evaluations - evaluations_noted_;
  evaluations_noted_ = meter.evaluations;
  const double seconds_here = SecondsBetween(iteration_started_, now);
  iteration_started_ = now;
  meter.last = {.iteration = meter.last.iteration + 1,
                .data_passes = static_cast<double>(meter.evaluations),
                .stage = stage_.name,
                .cost = cost,
                .gradient_norm = Norm<T>(gradient_.span()),
                .rho_hat_mean = sum / static_cast<double>(rho_hat_.size()),
                .rho_hat_min = smallest,
                .rho_hat_max = largest,
                .seconds = meter.seconds_before + SecondsBetween(meter.started, now),
                .rows_per_second = static_cast<double>(evaluations_here * sweep_.rows()) /
                                   std::max(seconds_here, 1e-9),
                .rows_in_sample = sweep_.rows(),
                .bytes_read = meter.bytes_read + sweep_.counts().bytes_read,
                .wait_seconds = meter.wait_seconds + sweep_.counts().wait_seconds,
                .peak_rss_bytes = PeakResidentBytes()};
  NoteExtremeUnits();
  around_.reporter.Iteration(meter.last);
}

template <class T>
void TrainingStage<T>::NoteExtremeUnits() {
  if (objective_.extreme_units() == extreme_units_) return;
  extreme_units_ = objective_.extreme_units();
  around_.reporter.Note(
      fmt::format("iteration {}: {} units have a mean activation of 0 or 1 to rounding",
                  around_.meter.last.iteration, extreme_units_));
}

template class TrainingStage<float>;
template class TrainingStage<double>;

}  // namespace rhohat
