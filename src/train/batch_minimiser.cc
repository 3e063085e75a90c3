#include "train/batch_minimiser.h"

#include <fmt/core.h>

#include <cmath>

#include "math/vector_ops.h"
#include "rhohat/error.h"
#include "train/result_verdict.h"

namespace rhohat {

template <class T>
BatchMinimiser<T>::BatchMinimiser(const PhaseSurroundings<T>& around, size_t parameters,
                                  bool settles)
    : around_(around), settles_(settles), gradient_(parameters) {}

template <class T>
std::string BatchMinimiser<T>::Minimise(const BatchProblem<T>& problem, Optimizer<T>& optimizer,
                                        StopRule& stop_rule, const SweepCounts& counts) {
  const StageProgress& progress = around_.progress;
  while (true) {
    if (!must_ask_) {
      const CostTerms cost = EvaluateTrial(problem, optimizer);
      cost_ = cost.total();
      gradient_norm_ = Norm<T>(gradient_.span());
      if (!progress.has_iterations() && !std::isfinite(gradient_norm_)) {
        ThrowNotFinite(cost, optimizer);
      }
      const Step step = optimizer.Tell(cost.total(), gradient_.span());
      if (step == Step::kFailed) {
        if (noted_ && !settles_) ThrowOutOfBounds(optimizer);
        if (!noted_ && !std::isfinite(cost.total())) ThrowNotFinite(cost, optimizer);
        // The very first point may be a minimum, and still is a result.
        if (!noted_) Note(problem, cost, counts);
        return std::string(optimizer.failure());
      }
      if (step == Step::kAccepted) {
        Note(problem, cost, counts);
        noted_ = true;
        must_ask_ = true;
      }
    }
    if (must_ask_) {
      const std::optional<std::string> reason = stop_rule.Stop(cost_, gradient_norm_);
      must_ask_ = false;
      if (reason) return *reason;
    }
    around_.checkpoints.Offer();
  }
}

template <class T>
void BatchMinimiser<T>::Visit(State& state) {
  const StateGroup group(state, "minimiser");
  state.Flag("noted", noted_);
  state.Flag("must_ask", must_ask_);
  if (!must_ask_) return;
  state.Number("cost", cost_);
  state.Number("gradient_norm", gradient_norm_);
}

template <class T>
void BatchMinimiser<T>::ThrowNotFinite(const CostTerms& cost, const Optimizer<T>& optimizer) const {
  if (!around_.progress.has_iterations()) {
    throw Error(ErrorKind::kBadData,
                fmt::format("J is {}, and its gradient's norm {}, at the starting point: the "
                            "data's values or the objective's weights are too large; --prepare can "
                            "scale the data",
                            cost.total(), Norm<T>(gradient_.span())));
  }
  throw Error(ErrorKind::kUsage, fmt::format("after iteration {}: {}", around_.progress.iteration(),
                                             optimizer.failure()));
}

template <class T>
void BatchMinimiser<T>::ThrowOutOfBounds(const Optimizer<T>& optimizer) const {
  ThrowDiverged(fmt::format("after iteration {}", around_.progress.iteration()),
                std::string(optimizer.failure()));
}

template <class T>
CostTerms BatchMinimiser<T>::EvaluateTrial(const BatchProblem<T>& problem,
                                           const Optimizer<T>& optimizer) {
  WatchPasses(problem);
  const CostTerms cost =
      problem.objective.EvaluateWithGradient(optimizer.trial(), gradient_.span());
  around_.progress.CountRows(static_cast<double>(problem.sweep.rows()));
  return cost;
}

template <class T>
void BatchMinimiser<T>::WatchPasses(const BatchProblem<T>& problem) {
  const int64_t evaluation = around_.progress.NextEvaluation();
  if (around_.control.observer == nullptr) return;
  problem.sweep.set_rows_done(
      [this, &problem, evaluation, before = problem.sweep.counts().rows](int64_t done) {
        around_.control.observer->OnPassProgress(
            {.evaluation = evaluation,
             .rows_done = problem.sweep.counts().rows - before + done,
             .rows_total = problem.objective.passes() * problem.sweep.rows()});
      });
}

template <class T>
void BatchMinimiser<T>::Note(const BatchProblem<T>& problem, const CostTerms& cost,
                             const SweepCounts& before) {
  SweepCounts counts = before;
  counts += problem.sweep.counts();
  around_.progress.Note({.cost = cost,
                         .over = problem.over,
                         .rows_in_sample = problem.sweep.rows(),
                         .gradient_norm = Norm<T>(gradient_.span()),
                         .rho_hat = problem.objective.rho_hat(),
                         .extreme_units = problem.objective.extreme_units()},
                        counts);
}

template class BatchMinimiser<float>;
template class BatchMinimiser<double>;

}  // namespace rhohat
