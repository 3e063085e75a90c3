#include "train/batch_phase.h"

#include "optimize/conjugate_gradient.h"
#include "optimize/gradient_descent.h"
#include "optimize/lbfgs.h"
#include "rhohat/error.h"
#include "train/optimizer_names.h"

namespace rhohat {
namespace {

template <class T>
std::unique_ptr<Optimizer<T>> MakeOptimizer(OptimizerKind kind, const OptimizerOptions& options,
                                            std::span<const T> start) {
  switch (kind) {
    case OptimizerKind::kLbfgs:
      return std::make_unique<Lbfgs<T>>(start, LbfgsOptions{.history = options.history});
    case OptimizerKind::kConjugateGradient:
      return std::make_unique<ConjugateGradient<T>>(start);
    case OptimizerKind::kGradientDescent:
      return std::make_unique<GradientDescent<T>>(
          start, GradientDescentOptions{.learning_rate = LearningRateOf(kind, options),
                                        .momentum = options.momentum});
    default:
      throw Error(ErrorKind::kInternal, "not a batch method");
  }
}

}  // namespace

template <class T>
BatchPhase<T>::BatchPhase(OptimizerKind kind, const PhaseSurroundings<T>& around,
                          std::span<const T> start)
    : around_(around),
      sweep_(around.source, around.executor, around.sweep, around.transform, around.input.group()),
      objective_(around.stage.shape, around.stage.network, around.stage.objective, around.noise,
                 sweep_, around.schedule),
      minimiser_(around, start.size(), kind != OptimizerKind::kGradientDescent),
      stop_rule_({.iterations = around.stage.iterations,
                  .tolerance = around.options.tolerance,
                  .gradient_tolerance = around.options.gradient_tolerance}),
      optimizer_(MakeOptimizer<T>(kind, around.options, start)) {}

template <class T>
std::string BatchPhase<T>::Minimise() {
  return minimiser_.Minimise({sweep_, objective_}, *optimizer_, stop_rule_);
}

template <class T>
void BatchPhase<T>::Visit(State& state) {
  minimiser_.Visit(state);
  stop_rule_.Visit(state);
  optimizer_->Visit(state);
  const StateGroup group(state, "objective");
  objective_.Visit(state);
}

template class BatchPhase<float>;
template class BatchPhase<double>;

}  // namespace rhohat
