// Moré and Thuente's choice of trial steps, with their names: the best end of the interval l
// ("best"), the other end u ("other"), the trial step t ("trial").
//
// Two stages. The first works, where that is of use, on the auxiliary function
// ψ(α) = φ(α) − φ(0) − c1 α φ'(0), whose minimisers satisfy sufficient decrease; the second, from
// the first step with ψ ≤ 0 and φ' ≥ 0 on, on φ itself. Where the trial lies relative to its
// neighbours decides, in four cases (section 4 of the paper), which interpolations to trust.
#include "optimize/line_search.h"

#include <algorithm>
#include <cmath>

namespace rhohat {
namespace {

// Without a bracket the next step exceeds the trial by this many times the last move.
constexpr double kLeastExtrapolation = 1.1;
constexpr double kMostExtrapolation = 4.0;
// Two trial steps must shrink the interval to this part of its width, or it is halved.
constexpr double kShrinking = 0.66;
// A step out of the function's domain comes this much nearer to the best one.
constexpr double kRetreat = 0.25;

// The minimiser of the cubic with the values and slopes of `base` and `far` at their steps, as the
// fraction of the way from `base` to `far`. Where rounding, or the cubic's shape, leaves no
// minimiser, the point where it is flattest.
struct CubicMinimizer {
  CubicMinimizer(const LineSample& base, const LineSample& far) {
    const double width = far.step - base.step;
    const double bend = 3 * (base.cost - far.cost) / width + base.slope + far.slope;
    const double scale = std::max({std::abs(bend), std::abs(base.slope), std::abs(far.slope)});
    const double discriminant =
        bend / scale * (bend / scale) - base.slope / scale * (far.slope / scale);
    const double root = std::copysign(scale * std::sqrt(std::max(0.0, discriminant)), width);
    exists = discriminant > 0;
    fraction = (root - base.slope + bend) / (2 * root - base.slope + far.slope);
    step = base.step + fraction * width;
  }

  bool exists;
  double fraction;
  double step;
};

// The minimiser of the parabola with the value and slope of `base` and the value of `far`.
double ParabolaMinimizer(const LineSample& base, const LineSample& far) {
  const double width = far.step - base.step;
  const double mean_slope = (base.cost - far.cost) / width;
  return base.step + base.slope / (mean_slope + base.slope) / 2 * width;
}

// Where the line through the two slopes is zero.
double SecantZero(const LineSample& base, const LineSample& far) {
  return base.step + base.slope / (base.slope - far.slope) * (far.step - base.step);
}

bool OppositeSlopes(const LineSample& a, const LineSample& b) {
  return a.slope < 0 ? b.slope > 0 : b.slope < 0;
}

double Nearer(double target, double a, double b) {
  return std::abs(a - target) < std::abs(b - target) ? a : b;
}

double Farther(double target, double a, double b) {
  return std::abs(a - target) > std::abs(b - target) ? a : b;
}

// Case 1: the trial is higher than the best, so a minimiser lies between them. Close to the best
// the cubic is right; else its mean with the more cautious parabola.
double StepTowardsBest(const LineSample& best, const LineSample& trial) {
  const double cubic = CubicMinimizer(best, trial).step;
  const double parabola = ParabolaMinimizer(best, trial);
  if (std::abs(cubic - best.step) < std::abs(parabola - best.step)) return cubic;
  return cubic + (parabola - cubic) / 2;
}

// Case 2: the trial is lower and its slope points back to the best: a minimiser lies between them.
double StepBetween(const LineSample& best, const LineSample& trial) {
  return Farther(trial.step, CubicMinimizer(trial, best).step, SecantZero(trial, best));
}

// Case 3: the trial is lower, still descending, and less steep, so the minimiser may be a little
// beyond it. The cubic counts only if its minimiser is there; else `limit` stands in for it.
double CubicBeyond(const LineSample& best, const LineSample& trial, double limit) {
  const CubicMinimizer cubic(trial, best);
  return cubic.exists && cubic.fraction < 0 ? cubic.step : limit;
}

// Case 3 without a bracket: boldly.
double StepBeyond(const LineSample& best, const LineSample& trial, double farthest) {
  return Farther(trial.step, CubicBeyond(best, trial, farthest), SecantZero(trial, best));
}

// Case 3 in a bracket: cautiously, and away from its other end.
double StepShortOf(const LineSample& other, const LineSample& best, const LineSample& trial) {
  const double step =
      Nearer(trial.step, CubicBeyond(best, trial, other.step), SecantZero(trial, best));
  const double farthest = trial.step + kShrinking * (other.step - trial.step);
  return trial.step > best.step ? std::min(step, farthest) : std::max(step, farthest);
}

// Case 4: the trial is lower, still descending, and no less steep. It and the best do not say where
// this ends: the next step is the farthest allowed or, in a bracket, comes from its other end.
double StepPastSteeper(const LineSample& other, const LineSample& trial) {
  return CubicMinimizer(trial, other).step;
}

}  // namespace

void LineSample::Visit(State& state) {
  state.Number("step", step);
  state.Number("cost", cost);
  state.Number("slope", slope);
}

void LineSearch::Visit(State& state) {
  const auto visit = [&](const char* name, LineSample& sample) {
    const StateGroup group(state, name);
    sample.Visit(state);
  };
  visit("origin", origin_);
  visit("best", best_);
  visit("other", other_);
  state.Number("step", step_);
  state.Flag("bracketed", bracketed_);
  state.Flag("auxiliary_stage", auxiliary_stage_);
  state.Flag("settling", settling_);
  state.Number("last_width", last_width_);
  state.Number("width_before_last", width_before_last_);
  state.Number("wall", wall_);
  state.Number("evaluations", evaluations_, 0, options_.max_evaluations);
  state.Number("retreats", retreats_, 0, options_.max_retreats + 1);
}

LineSearch::Status LineSearch::Start(double cost, double slope, double initial_step) {
  *this = LineSearch(options_);
  if (!std::isfinite(cost) || !std::isfinite(slope) || !(slope < 0)) return Status::kFailed;
  origin_ = {0, cost, slope};
  best_ = other_ = origin_;
  auxiliary_stage_ = true;
  last_width_ = options_.max_step - options_.min_step;
  width_before_last_ = 2 * last_width_;
  step_ = std::clamp(initial_step, options_.min_step, options_.max_step);
  return Status::kEvaluate;
}

LineSearch::Status LineSearch::Update(double cost, double slope) {
  const LineSample trial{step_, cost, slope};
  const bool finite = std::isfinite(cost) && std::isfinite(slope);
  if (settling_) return finite && SufficientDecrease(trial) ? Status::kDone : Status::kFailed;
  if (!finite) return Retreat();
  ++evaluations_;
  const bool decreased = SufficientDecrease(trial);
  if (StrongWolfe(trial)) return Status::kDone;
  if (decreased && slope >= 0) auxiliary_stage_ = false;
  const bool still_falling = slope <= options_.sufficient_decrease * origin_.slope;
  if (step_ >= options_.max_step && decreased && still_falling) return Status::kDone;
  if (step_ <= options_.min_step && !(decreased && still_falling)) return Status::kFailed;
  Advance(trial);
  if (!IntervalExhausted() && evaluations_ < options_.max_evaluations) return Status::kEvaluate;
  if (!decreased) return SettleForBest();
  step_ = trial.step;
  return Status::kDone;
}

// Where the bound rounds to φ(0) itself the value must still be lower, or a minimisation could move
// about for ever without getting anywhere.
bool LineSearch::SufficientDecrease(const LineSample& sample) const {
  const double bound = origin_.cost + options_.sufficient_decrease * sample.step * origin_.slope;
  return sample.cost <= bound && sample.cost < origin_.cost;
}

bool LineSearch::StrongWolfe(const LineSample& sample) const {
  return SufficientDecrease(sample) &&
         std::abs(sample.slope) <= options_.curvature * std::abs(origin_.slope);
}

// ψ, up to the constant φ(0).
LineSample LineSearch::Auxiliary(const LineSample& sample) const {
  const double slope = options_.sufficient_decrease * origin_.slope;
  return {sample.step, sample.cost - slope * sample.step, sample.slope - slope};
}

// Chooses the next trial step and moves the interval. ψ stands in for φ only where it is of use: in
// the first stage, at a trial below the best whose decrease is still not sufficient.
void LineSearch::Advance(const LineSample& trial) {
  if (auxiliary_stage_ && trial.cost <= best_.cost && !SufficientDecrease(trial)) {
    const LineSample best = Auxiliary(best_);
    const LineSample psi_trial = Auxiliary(trial);
    step_ = StepAfter(best, Auxiliary(other_), psi_trial);
    MoveInterval(best, psi_trial, trial);
  } else {
    const LineSample best = best_;
    step_ = StepAfter(best, other_, trial);
    MoveInterval(best, trial, trial);
  }
  ForceShrinking();
  step_ = std::clamp(step_, options_.min_step, options_.max_step);
}

double LineSearch::StepAfter(const LineSample& best, const LineSample& other,
                             const LineSample& trial) const {
  if (trial.cost > best.cost || OppositeSlopes(best, trial)) {
    const double step =
        trial.cost > best.cost ? StepTowardsBest(best, trial) : StepBetween(best, trial);
    return std::isfinite(step) ? step : (best.step + trial.step) / 2;
  }
  const bool less_steep = std::abs(trial.slope) < std::abs(best.slope);
  if (bracketed_) {
    const double step =
        less_steep ? StepShortOf(other, best, trial) : StepPastSteeper(other, trial);
    return std::isfinite(step) ? step : (trial.step + other.step) / 2;
  }
  // A step out of the domain is approached by halves. After the first trial there is no move yet to
  // measure the least extrapolation by.
  const double move = trial.step - best.step;
  const double halfway_to_wall = trial.step + (wall_ - trial.step) / 2;
  const double farthest = std::min(trial.step + kMostExtrapolation * move, halfway_to_wall);
  const double nearest = best.step == 0 ? trial.step : trial.step + kLeastExtrapolation * move;
  const double step = less_steep ? StepBeyond(best, trial, farthest) : farthest;
  return std::isfinite(step) ? std::clamp(step, std::min(nearest, farthest), farthest) : farthest;
}

// The interval's new ends (the paper's updating algorithm). `best` and `trial` are of the function
// that chose the step, φ or ψ; the ends are kept as values of φ.
void LineSearch::MoveInterval(const LineSample& best, const LineSample& trial,
                              const LineSample& raw_trial) {
  if (trial.cost > best.cost) {
    other_ = raw_trial;
    bracketed_ = true;
    return;
  }
  if (OppositeSlopes(best, trial)) {
    other_ = best_;
    bracketed_ = true;
  }
  best_ = raw_trial;
}

void LineSearch::ForceShrinking() {
  if (!bracketed_) return;
  const double width = std::abs(other_.step - best_.step);
  if (width >= kShrinking * width_before_last_) {
    step_ = best_.step + (other_.step - best_.step) / 2;
  }
  width_before_last_ = last_width_;
  last_width_ = width;
}

// Whether no step is left that can be told apart from those that were tried.
bool LineSearch::IntervalExhausted() const {
  if (!bracketed_) return step_ == best_.step || step_ >= wall_;
  const auto [lower, upper] = std::minmax(best_.step, other_.step);
  return step_ <= lower || step_ >= upper || upper - lower <= options_.interval_tolerance * upper;
}

LineSearch::Status LineSearch::Retreat() {
  if (!bracketed_) wall_ = step_;
  step_ = best_.step + kRetreat * (step_ - best_.step);
  if (++retreats_ > options_.max_retreats || step_ < options_.min_step || step_ == best_.step) {
    return SettleForBest();
  }
  return Status::kEvaluate;
}

// Ends the search with the best step if its decrease is sufficient. The caller only has the
// gradient of the last trial, so the best step is evaluated again.
LineSearch::Status LineSearch::SettleForBest() {
  if (best_.step <= 0 || !SufficientDecrease(best_)) return Status::kFailed;
  step_ = best_.step;
  settling_ = true;
  return Status::kEvaluate;
}

}  // namespace rhohat
