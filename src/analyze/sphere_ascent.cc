#include "analyze/sphere_ascent.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "base/aligned_buffer.h"
#include "math/vector_ops.h"
#include "optimize/lbfgs.h"
#include "optimize/stop_rule.h"

namespace rhohat {
namespace {

constexpr LbfgsOptions kLbfgs = {.history = 10};

// One point on its way.
class Climber {
 public:
  // `point` and `result` are kept up to date, and must outlive it.
  Climber(const SphereAscentOptions& options, std::span<double> point, SphereAscentResult& result)
      : tolerance_(options.tolerance),
        stop_rule_({.iterations = options.evaluations, .tolerance = options.least_gain}),
        radius_(Norm<double>(point)),
        point_(point),
        result_(&result) {}

  // Where to evaluate next.
  void PlaceTrial(std::span<double> trial) const {
    if (optimizer_ == nullptr) {
      std::ranges::copy(point_, trial.begin());
    } else {
      std::ranges::copy(optimizer_->trial(), trial.begin());
      ScaleToNorm(radius_, trial);
    }
  }

  // Takes the value and the gradient at `trial`; overwrites the latter. False at the end.
  bool Tell(double value, std::span<const double> trial, std::span<double> gradient) {
    const double whole = Norm<double>(gradient);
    if (optimizer_ == nullptr && !Begin(value, whole)) return false;
    AddScaled<double>(-Dot<double>(gradient, trial) / (radius_ * radius_), trial, gradient);
    const double projected = Norm<double>(gradient);
    Scale<double>(-radius_ / Norm<double>(optimizer_->trial()), gradient);
    const Step step = optimizer_->Tell(-value, gradient);
    if (step == Step::kSearching) return true;
    std::ranges::copy(optimizer_->point(), point_.begin());
    ScaleToNorm(radius_, point_);
    result_->value = -optimizer_->cost();
    return step == Step::kAccepted && projected > tolerance_ * whole &&
           !stop_rule_.Stop(-value, projected).has_value();
  }

 private:
  bool Begin(double value, double gradient_norm) {
    *result_ = {.value = value, .has_slope = gradient_norm != 0};
    if (!(radius_ > 0) || !std::isfinite(value) || !std::isfinite(gradient_norm)) return false;
    std::vector<double> start(point_.begin(), point_.end());
    ScaleToNorm(1, start);
    optimizer_ = std::make_unique<Lbfgs<double>>(start, kLbfgs);
    return true;
  }

  double tolerance_;
  StopRule stop_rule_;
  double radius_;
  std::span<double> point_;
  SphereAscentResult* result_;
  std::unique_ptr<Lbfgs<double>> optimizer_;  // over u; none before the first value is known
};

}  // namespace

std::vector<SphereAscentResult> AscendOnSphere(const PointFunctions& functions,
                                               std::span<const int64_t> which,
                                               const SphereAscentOptions& options,
                                               MatrixView<double> points) {
  const auto width = static_cast<size_t>(points.columns);
  const auto row_of = [&](std::span<double> matrix, size_t row) {
    return matrix.subspan(row * width, width);
  };
  std::vector<SphereAscentResult> results(which.size());
  std::vector<Climber> climbers;
  std::vector<int64_t> active(which.begin(), which.end());  // the function of each climber
  for (size_t i = 0; i < which.size(); ++i) {
    climbers.emplace_back(options, row_of(points.flat(), i), results[i]);
  }
  const AlignedBuffer<double> trials(which.size() * width);
  const AlignedBuffer<double> gradients(which.size() * width);
  std::vector<double> values(which.size());
  for (int64_t done = 0; done < options.evaluations && !active.empty(); ++done) {
    const auto count = static_cast<int64_t>(active.size());
    for (size_t k = 0; k < active.size(); ++k) climbers[k].PlaceTrial(row_of(trials.span(), k));
    functions(active, {trials.data(), count, points.columns},
              std::span(values).first(active.size()), {gradients.data(), count, points.columns});
    size_t kept = 0;
    for (size_t k = 0; k < active.size(); ++k) {
      if (!climbers[k].Tell(values[k], row_of(trials.span(), k), row_of(gradients.span(), k))) {
        continue;
      }
      if (kept != k) climbers[kept] = std::move(climbers[k]);
      active[kept++] = active[k];
    }
    active.resize(kept);
    climbers.erase(climbers.begin() + static_cast<std::ptrdiff_t>(kept), climbers.end());
  }
  return results;
}

void ScaleToNorm(double norm, std::span<double> point) {
  double largest = 0;
  for (const double value : point) largest = std::max(largest, std::fabs(value));
  if (!(largest > 0) || !std::isfinite(largest)) return;
  for (double& value : point) value /= largest;
  Scale<double>(norm / Norm<double>(point), point);
}

}  // namespace rhohat
