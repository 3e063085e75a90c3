// Functions to minimise, with known minimisers, and the loop that minimises them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <type_traits>
#include <vector>

#include "optimize/optimizer.h"

namespace rhohat {

// Value at x; writes the gradient, of x's length.
template <class T>
using TestFunction = std::function<double(std::span<const T> x, std::span<T> gradient)>;

// Σ 100 (x_{2k+1} − x_{2k}²)² + (1 − x_{2k})²: a curved valley for every pair of variables; zero at
// (1, …, 1).
template <class T>
double Rosenbrock(std::span<const T> x, std::span<T> gradient) {
  double sum = 0;
  for (size_t k = 0; k + 1 < x.size(); k += 2) {
    const double a = x[k];
    const double off_valley = x[k + 1] - a * a;
    sum += 100 * off_valley * off_valley + (1 - a) * (1 - a);
    gradient[k] = static_cast<T>(-400 * a * off_valley - 2 * (1 - a));
    gradient[k + 1] = static_cast<T>(200 * off_valley);
  }
  return sum;
}

// The usual start (−1.2, 1, −1.2, 1, …).
template <class T>
std::vector<T> RosenbrockStart(size_t dimension) {
  std::vector<T> start(dimension, T{1});
  for (size_t k = 0; k < dimension; k += 2) start[k] = static_cast<T>(-1.2);
  return start;
}

// ½ Σ c_i (x_i − i)² + offset with curvatures from 1 to `condition`, evenly spaced in logarithm.
template <class T>
TestFunction<T> Quadratic(double condition, double offset = 0) {
  return [=](std::span<const T> x, std::span<T> gradient) {
    double sum = offset;
    for (size_t i = 0; i < x.size(); ++i) {
      const double place =
          x.size() > 1 ? static_cast<double>(i) / static_cast<double>(x.size() - 1) : 0;
      const double curvature = std::pow(condition, place);
      const double distance = static_cast<double>(x[i]) - static_cast<double>(i);
      sum += 0.5 * curvature * distance * distance;
      gradient[i] = static_cast<T>(curvature * distance);
    }
    return sum;
  };
}

// Σ (i+1) x_i − log x_i, with its minimiser at 1/(i+1) and no value for x_i ≤ 0, so that line
// searches retreat.
template <class T>
double LogBarrier(std::span<const T> x, std::span<T> gradient) {
  double sum = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const auto weight = static_cast<double>(i + 1);
    sum += weight * x[i] - std::log(static_cast<double>(x[i]));
    gradient[i] = static_cast<T>(weight - 1.0 / x[i]);
  }
  return sum;
}

// Values rounded to float beside an offset, with the minimiser at 1: near it the noise is all there
// is.
template <class T>
double Rounded(std::span<const T> x, std::span<T> gradient) {
  float sum = 100;
  for (size_t i = 0; i < x.size(); ++i) {
    const auto place = static_cast<float>(x[i]);
    const float curvature = 1 + static_cast<float>(i);
    sum += curvature * (place - 1) * (place - 1);
    gradient[i] = static_cast<T>(2 * curvature * (place - 1) + 1e-4F * std::sin(1e5F * place));
  }
  return static_cast<double>(sum);
}

// What T's precision lets a minimisation reach.
template <class T>
constexpr double kReach = std::is_same_v<T, float> ? 1e-3 : 1e-8;

template <class T>
double LargestDistance(std::span<const T> x, double target) {
  double largest = 0;
  for (const T value : x) largest = std::max(largest, std::abs(value - target));
  return largest;
}

template <class T>
std::vector<T> Copy(std::span<const T> x) {
  return {x.begin(), x.end()};
}

struct Outcome {
  int64_t evaluations = 0;
  int64_t iterations = -1;  // accepted points after the starting point
  bool failed = false;
};

// Minimises until the gradient's norm is at or below `gradient_tolerance`, the optimiser fails, or
// there were `most_evaluations`. `accepted`, where given, is called at every accepted point.
template <class T>
Outcome Minimize(Optimizer<T>& optimizer, const TestFunction<T>& function,
                 double gradient_tolerance, int64_t most_evaluations = 10000,
                 const std::function<void()>& accepted = {}) {
  Outcome outcome;
  std::vector<T> gradient(optimizer.trial().size());
  while (outcome.evaluations < most_evaluations) {
    const double cost = function(optimizer.trial(), gradient);
    ++outcome.evaluations;
    const Step step = optimizer.Tell(cost, gradient);
    outcome.failed = step == Step::kFailed;
    if (outcome.failed) return outcome;
    if (step != Step::kAccepted) continue;
    ++outcome.iterations;
    if (accepted) accepted();
    double square = 0;
    for (const T g : optimizer.gradient()) square += static_cast<double>(g) * g;
    if (std::sqrt(square) <= gradient_tolerance) return outcome;
  }
  return outcome;
}

}  // namespace rhohat
