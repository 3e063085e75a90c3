#include "analyze/sphere_ascent.h"

#include <algorithm>
#include <cmath>

#include "base/aligned_buffer.h"
#include "math/vector_ops.h"

namespace rhohat {
namespace {

constexpr double kLeastRise = 1e-4;     // of what the slope promises (Armijo)
constexpr double kShortening = 0.25;    // of a step that did not rise enough
constexpr double kShortestMove = 1e-9;  // of the radius: below it rounding decides
constexpr double kLongestMove = 4;      // of the radius, along the tangent: 76 degrees

std::span<double> RowOf(MatrixView<double> matrix, int64_t row) {
  return {matrix.row(row), static_cast<size_t>(matrix.columns)};
}

AlignedBuffer<double> BufferLike(MatrixView<double> matrix) {
  return AlignedBuffer<double>(static_cast<size_t>(matrix.size()));
}

// All points on their way. Trial k is the next place of point active_[k].
class Ascent {
 public:
  Ascent(const PointFunctions& functions, std::span<const int64_t> which,
         const SphereAscentOptions& options, MatrixView<double> points)
      : functions_(functions),
        which_(which),
        options_(options),
        points_(points),
        tangent_memory_(BufferLike(points)),
        trial_memory_(BufferLike(points)),
        gradient_memory_(BufferLike(points)),
        tangents_(tangent_memory_.data(), points.rows, points.columns),
        states_(static_cast<size_t>(points.rows)),
        results_(static_cast<size_t>(points.rows)) {}

  std::vector<SphereAscentResult> Run() {
    Start();
    for (int64_t done = 1; done < options_.evaluations && !active_.empty(); ++done) {
      for (size_t k = 0; k < active_.size(); ++k) PlaceTrial(active_[k], Trial(k));
      Evaluate();
      KeepActive([&](size_t k) { return Judge(k); });
    }
    return results_;
  }

 private:
  struct State {
    double radius = 0;
    double slope = 0;  // ‖tangent‖
    double step = 0;   // the next move is step · tangent
  };

  std::span<double> Trial(size_t k) { return trial_memory_.span().subspan(k * width(), width()); }
  std::span<double> Gradient(size_t k) {
    return gradient_memory_.span().subspan(k * width(), width());
  }
  size_t width() const { return static_cast<size_t>(points_.columns); }
  State& StateOf(int64_t point) { return states_[static_cast<size_t>(point)]; }
  SphereAscentResult& ResultOf(int64_t point) { return results_[static_cast<size_t>(point)]; }

  void Start() {
    for (int64_t i = 0; i < points_.rows; ++i) {
      active_.push_back(i);
      StateOf(i).radius = Norm<double>(RowOf(points_, i));
      std::ranges::copy(RowOf(points_, i), Trial(static_cast<size_t>(i)).begin());
    }
    Evaluate();
    KeepActive([&](size_t k) { return Begin(k); });
  }

  // The first step leads to the gradient's own direction, or halfway there where that lies behind.
  // False where the point has nowhere to go.
  bool Begin(size_t k) {
    State& state = StateOf(active_[k]);
    SphereAscentResult& result = ResultOf(active_[k]);
    result.value = values_[k];
    result.has_slope = Norm<double>(Gradient(k)) != 0;
    const double radial = TakeTangent(k);
    std::ranges::copy(Gradient(k), RowOf(tangents_, active_[k]).begin());
    state.step = state.radius / (radial > 0 ? radial : state.slope);
    return state.radius > 0 && std::isfinite(state.step) && !result.at_rest;
  }

  // Keeps of active_ what `stays(k)` says of each place k, in order.
  template <class Stays>
  void KeepActive(const Stays& stays) {
    size_t kept = 0;
    for (size_t k = 0; k < active_.size(); ++k) {
      if (stays(k)) active_[kept++] = active_[k];
    }
    active_.resize(kept);
  }

  // values_ and gradients of the trials.
  void Evaluate() {
    const auto count = static_cast<int64_t>(active_.size());
    values_.resize(active_.size());
    functions_of_trials_.clear();
    for (const int64_t i : active_) functions_of_trials_.push_back(which_[static_cast<size_t>(i)]);
    functions_(functions_of_trials_, {trial_memory_.data(), count, points_.columns}, values_,
               {gradient_memory_.data(), count, points_.columns});
  }

  void PlaceTrial(int64_t point, std::span<double> trial) {
    const State& state = StateOf(point);
    SumScaled<double>(RowOf(points_, point), state.step, RowOf(tangents_, point), trial);
    ScaleToNorm(state.radius, trial);
  }

  // Gradient(k) becomes its tangent part at Trial(k); returns how long its radial part was,
  // outward.
  double TakeTangent(size_t k) {
    const int64_t point = active_[k];
    State& state = StateOf(point);
    const std::span<double> gradient = Gradient(k);
    const double whole = Norm<double>(gradient);
    const double radial = Dot<double>(gradient, Trial(k)) / state.radius;
    AddScaled<double>(-radial / state.radius, Trial(k), gradient);
    state.slope = Norm<double>(gradient);
    ResultOf(point).at_rest = state.slope <= options_.tolerance * whole;
    return radial;
  }

  // Moves the point to its trial, or shortens its step. False where it has come to rest.
  bool Judge(size_t k) {
    const int64_t point = active_[k];
    State& state = StateOf(point);
    SphereAscentResult& result = ResultOf(point);
    const double promised = state.step * state.slope * state.slope;
    if (!(values_[k] >= result.value + kLeastRise * promised)) {
      state.step *= kShortening;
      return state.step * state.slope > kShortestMove * state.radius;
    }
    result.value = values_[k];
    TakeTangent(k);
    Accept(k);
    return !result.at_rest;
  }

  // Barzilai and Borwein's step from the move s and the change −y of the tangent: s·s / |s·y|.
  void Accept(size_t k) {
    const int64_t point = active_[k];
    State& state = StateOf(point);
    const std::span<double> here = RowOf(points_, point);
    const std::span<double> tangent = RowOf(tangents_, point);
    double moved = 0;
    double bent = 0;
    for (size_t j = 0; j < width(); ++j) {
      const double move = Trial(k)[j] - here[j];
      moved += move * move;
      bent += move * (tangent[j] - Gradient(k)[j]);
    }
    std::ranges::copy(Trial(k), here.begin());
    std::ranges::copy(Gradient(k), tangent.begin());
    if (bent != 0) state.step = moved / std::fabs(bent);
    state.step = std::min(state.step, kLongestMove * state.radius / state.slope);
  }

  const PointFunctions& functions_;
  std::span<const int64_t> which_;
  SphereAscentOptions options_;
  MatrixView<double> points_;
  AlignedBuffer<double> tangent_memory_;   // of each point
  AlignedBuffer<double> trial_memory_;     // of each active one
  AlignedBuffer<double> gradient_memory_;  // of each active one
  MatrixView<double> tangents_;
  std::vector<State> states_;
  std::vector<SphereAscentResult> results_;
  std::vector<int64_t> active_;
  std::vector<int64_t> functions_of_trials_;
  std::vector<double> values_;
};

}  // namespace

std::vector<SphereAscentResult> AscendOnSphere(const PointFunctions& functions,
                                               std::span<const int64_t> which,
                                               const SphereAscentOptions& options,
                                               MatrixView<double> points) {
  return Ascent(functions, which, options, points).Run();
}

void ScaleToNorm(double norm, std::span<double> point) {
  double largest = 0;
  for (const double value : point) largest = std::max(largest, std::fabs(value));
  if (!(largest > 0) || !std::isfinite(largest)) return;
  for (double& value : point) value /= largest;
  Scale<double>(norm / Norm<double>(point), point);
}

}  // namespace rhohat
