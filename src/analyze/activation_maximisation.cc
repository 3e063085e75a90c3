#include "analyze/activation_maximisation.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>
#include <vector>

#include "analyze/sphere_ascent.h"
#include "base/keyed_random.h"
#include "math/blas.h"
#include "math/vector_ops.h"

namespace rhohat {
namespace {

constexpr uint64_t kSeed = 1;

// All starts go up until it shows which is the highest; that one goes on to the top.
constexpr SphereAscentOptions kTrialAscent = {
    .tolerance = 0.02, .least_gain = 1e-3, .evaluations = 100};
constexpr SphereAscentOptions kFinalAscent;

// The same for all units. Uniform in the cube, which is random enough for a direction.
void PlaceCandidate(int64_t number, double norm, std::span<double> point) {
  const KeyedRandom random(kSeed, RandomPurpose::kAscentStart);
  const uint64_t first = static_cast<uint64_t>(number) * point.size();
  for (size_t j = 0; j < point.size(); ++j) point[j] = 2 * random.Uniform(first + j) - 1;
  ScaleToNorm(norm, point);
}

// The numbers of the `count` candidates with the highest scores; of equal ones, the first.
std::vector<int64_t> BestCandidates(std::span<const double> scores, int64_t count) {
  std::vector<int64_t> numbers(scores.size());
  std::iota(numbers.begin(), numbers.end(), 0);
  const auto is_better = [&](int64_t a, int64_t b) {
    const double score_a = scores[static_cast<size_t>(a)];
    const double score_b = scores[static_cast<size_t>(b)];
    return score_a != score_b ? score_a > score_b : a < b;
  };
  std::partial_sort(numbers.begin(), numbers.begin() + count, numbers.end(), is_better);
  numbers.resize(static_cast<size_t>(count));
  return numbers;
}

std::span<double> RowOf(MatrixView<double> matrix, int64_t row) {
  return {matrix.row(row), static_cast<size_t>(matrix.columns)};
}

// The first of the highest, of those that have somewhere to go if any has.
size_t Highest(std::span<const SphereAscentResult> results) {
  const auto is_lower = [](const SphereAscentResult& a, const SphereAscentResult& b) {
    return a.has_slope != b.has_slope ? b.has_slope : a.value < b.value;
  };
  return static_cast<size_t>(std::ranges::max_element(results, is_lower) - results.begin());
}

}  // namespace

ActivationMaximiser::ActivationMaximiser(const NetworkShape& shape, const NetworkOptions& options,
                                         std::span<const double> flat, int64_t layer, double norm,
                                         int64_t most_units)
    : network_(shape, options),
      parameters_(ViewParameters(shape, flat)),
      layer_(layer),
      norm_(norm) {
  assert(layer >= 0 && layer < shape.depth() && norm > 0);
  const int64_t most_points = most_units * kStarts;
  int64_t widest = 0;
  for (int64_t below = 0; below < layer; ++below) {
    const int64_t width = shape.width(below + 1);
    levels_.emplace_back(static_cast<size_t>(most_points * width));
    widest = std::max(widest, width);
  }
  scratch_ = AlignedBuffer<double>(static_cast<size_t>(most_points * widest));
}

MatrixView<double> ActivationMaximiser::Level(int64_t layer, int64_t rows) {
  return {levels_[static_cast<size_t>(layer)].data(), rows, network_.shape().width(layer + 1)};
}

MatrixView<double> ActivationMaximiser::Scratch(int64_t rows, int64_t columns) {
  return {scratch_.data(), rows, columns};
}

std::span<const double> ActivationMaximiser::WeightsOf(int64_t unit) const {
  const MatrixView<const double>& weight = parameters_[layer_].weight;
  return {weight.row(unit), static_cast<size_t>(weight.columns)};
}

// What the layer sees of the points.
MatrixView<const double> ActivationMaximiser::Forward(MatrixView<const double> points) {
  for (int64_t below = 0; below < layer_; ++below) {
    const MatrixView<double> level = Level(below, points.rows);
    network_.Forward(below, parameters_, points, level);
    points = level;
  }
  return points;
}

void ActivationMaximiser::Evaluate(std::span<const int64_t> units, MatrixView<const double> points,
                                   std::span<double> values, MatrixView<double> gradients) {
  const int64_t rows = points.rows;
  const MatrixView<const double> in = Forward(points);
  for (int64_t i = 0; i < rows; ++i) {
    const std::span<const double> weights = WeightsOf(units[static_cast<size_t>(i)]);
    values[static_cast<size_t>(i)] = Dot<double>(weights, {in.row(i), weights.size()});
    std::ranges::copy(weights, layer_ == 0 ? gradients.row(i) : Scratch(rows, in.columns).row(i));
  }
  // Here the scratch memory has ∂z/∂a of the level above; the level's own memory takes ∂z/∂z.
  for (int64_t below = layer_ - 1; below >= 0; --below) {
    const MatrixView<double> level = Level(below, rows);
    const MatrixView<double> delta = Scratch(rows, level.columns);
    const auto times_slope = network_.activation(below).times_slope;
    for (int64_t i = 0; i < rows; ++i) {
      times_slope(delta.row(i), level.row(i), level.row(i), level.columns);
    }
    const int64_t width = network_.shape().width(below);
    network_.Backward(below, parameters_, level, below == 0 ? gradients : Scratch(rows, width));
  }
}

// W_N … W_2 W_1, of the rows asked for.
void ActivationMaximiser::ProductOfWeights(int64_t first, MatrixView<double> directions) {
  const MatrixView<const double>& top = parameters_[layer_].weight;
  MatrixView<const double> product(top.row(first), directions.rows, top.columns);
  for (int64_t below = layer_ - 1; below >= 0; --below) {
    const MatrixView<const double>& weight = parameters_[below].weight;
    // A level's memory is free, and as wide as the product from the left is, one level down.
    const MatrixView<double> out = below == 0 ? directions : Level(below - 1, directions.rows);
    Multiply<double>(product, weight, out);
    product = out;
  }
  if (layer_ == 0) std::ranges::copy(product.flat(), directions.data);
}

// z less its bias of each candidate and unit, count×kCandidates; what is not finite as −infinity.
// The points are scratch memory, and say how many candidates are taken at a time.
std::vector<double> ActivationMaximiser::ScoreCandidates(int64_t first, int64_t count,
                                                         MatrixView<double> points) {
  const MatrixView<const double>& weight = parameters_[layer_].weight;
  const MatrixView<const double> of_units(weight.row(first), count, weight.columns);
  const AlignedBuffer<double> inputs(static_cast<size_t>(count * points.rows));
  std::vector<double> scores(static_cast<size_t>(count * kCandidates));
  for (int64_t begin = 0; begin < kCandidates; begin += points.rows) {
    const int64_t rows = std::min(points.rows, kCandidates - begin);
    for (int64_t i = 0; i < rows; ++i) PlaceCandidate(begin + i, norm_, RowOf(points, i));
    const MatrixView<double> z(inputs.data(), count, rows);
    MultiplyTransposed<double>(of_units, Forward({points.data, rows, points.columns}), z);
    for (int64_t i = 0; i < count; ++i) {
      std::ranges::transform(
          RowOf(z, i), scores.begin() + i * kCandidates + begin,
          [](double value) { return std::isfinite(value) ? value : -kUnbounded; });
    }
  }
  return scores;
}

// Start s of unit i is point s · count + i, so that the linear starts stand together.
void ActivationMaximiser::PlaceStarts(int64_t first, int64_t count, MatrixView<double> points) {
  const std::vector<double> scores = ScoreCandidates(first, count, points);
  ProductOfWeights(first, {points.data, count, points.columns});
  for (int64_t i = 0; i < count; ++i) {
    const std::span<double> linear = RowOf(points, i);
    const bool is_zero = std::ranges::all_of(linear, [](double value) { return value == 0; });
    const std::vector<int64_t> best = BestCandidates(
        std::span(scores).subspan(static_cast<size_t>(i * kCandidates), kCandidates), kStarts);
    for (int64_t start = 0; start < kStarts; ++start) {
      const std::span<double> point = RowOf(points, start * count + i);
      if (start > 0 || is_zero) {
        PlaceCandidate(best[static_cast<size_t>(start)], norm_, point);
      } else {
        ScaleToNorm(norm_, point);
      }
    }
  }
}

void ActivationMaximiser::Maximise(int64_t first, MatrixView<double> inputs) {
  const int64_t count = inputs.rows;
  std::vector<int64_t> units;
  for (int64_t i = 0; i < count * kStarts; ++i) units.push_back(first + i % count);
  const AlignedBuffer<double> memory(units.size() * static_cast<size_t>(inputs.columns));
  const MatrixView<double> points(memory.data(), count * kStarts, inputs.columns);
  PlaceStarts(first, count, points);
  const PointFunctions evaluate = [this](auto... operands) { Evaluate(operands...); };
  const auto tried = AscendOnSphere(evaluate, units, kTrialAscent, points);
  std::vector<bool> has_slope;
  for (int64_t i = 0; i < count; ++i) {
    std::vector<SphereAscentResult> of_unit;
    for (int64_t start = 0; start < kStarts; ++start) {
      of_unit.push_back(tried[static_cast<size_t>(start * count + i)]);
    }
    const size_t best = Highest(of_unit);
    has_slope.push_back(of_unit[best].has_slope);
    std::ranges::copy(RowOf(points, static_cast<int64_t>(best) * count + i), inputs.row(i));
  }
  units.resize(static_cast<size_t>(count));
  AscendOnSphere(evaluate, units, kFinalAscent, inputs);
  for (int64_t i = 0; i < count; ++i) {
    if (!has_slope[static_cast<size_t>(i)]) std::ranges::fill(RowOf(inputs, i), 0.0);
  }
}

}  // namespace rhohat
