// L-BFGS: quasi-Newton directions from the last few steps, each followed by a line search.
//
// The direction is −H∇f, where H approximates the inverse Hessian from the `history` latest pairs
// s = change of the point, y = change of the gradient. The two-loop recursion (J. Nocedal and
// S. J. Wright, "Numerical Optimization", 2nd edition, algorithm 7.4) applies H without forming it,
// and starts from the multiple sᵀy/yᵀy of the identity that the newest pair suggests (their 7.20).
// The strong Wolfe conditions of the line search make sᵀy > 0, so H stays positive definite.
// Where no lower point is found along the direction, the pairs are forgotten. Where the function is
// changed they are kept: each is a measurement of curvature, and still describes a function that
// resembles the one it was taken of. No pair is ever made of gradients of two functions, whose
// difference is no curvature.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "optimize/direction_search.h"

namespace rhohat {

struct LbfgsOptions {
  int64_t history = 20;  // pairs kept, at least 1
};

template <class T>
class Lbfgs : public DirectionSearch<T> {
 public:
  // Throws Error(kUsage) where history < 1. Allocates everything it will ever need.
  Lbfgs(std::span<const T> start, const LbfgsOptions& options);

  // Bytes allocated for that many parameters: 4 + 2·history vectors of T and 2·history doubles.
  // Throws Error where the number does not fit.
  static size_t MemoryBytes(size_t parameters, int64_t history);

  void Visit(State& state) override;

 private:
  void Learn(std::span<const T> gradient, std::span<T> last_gradient,
             std::span<T> direction) override;
  bool Turn(std::span<T> direction) override;
  double FirstStep(double slope) const override;
  void Forget() override { pairs_ = 0; }
  void ForgetFunction() override {}

  // Where the pair is kept that is `age` pairs older than the newest.
  size_t Slot(int64_t age) const;
  std::span<T> PointChange(size_t slot);
  std::span<T> GradientChange(size_t slot);

  size_t parameters_;
  int64_t history_;

  // A ring of slots; `newest_` is the slot written last.
  int64_t pairs_ = 0;
  int64_t newest_ = 0;
  std::vector<T> point_changes_;     // history × parameters: s
  std::vector<T> gradient_changes_;  // history × parameters: y
  std::vector<double> curvatures_;   // history: sᵀy
  std::vector<double> weights_;      // history: scratch of the recursion
  double scaling_ = 1;               // sᵀy / yᵀy of the newest pair
};

}  // namespace rhohat
