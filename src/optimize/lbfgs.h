// L-BFGS: quasi-Newton directions from the last few steps, each followed by a line search.
//
// The direction is −H∇f, where H approximates the inverse Hessian from the `history` latest pairs
// s = change of the point, y = change of the gradient. The two-loop recursion (J. Nocedal and
// S. J. Wright, "Numerical Optimization", 2nd edition, algorithm 7.4) applies H without forming it,
// and starts from the multiple sᵀy/yᵀy of the identity that the newest pair suggests (their 7.20).
// The strong Wolfe conditions of the line search make sᵀy > 0, so H stays positive definite.
//
// Where no lower point is found along the direction, the pairs are forgotten and the search is
// repeated once along −∇f; if that does not help either, Tell() returns kFailed. Near a minimum
// this is the normal end: rounding hides what is left to gain.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "optimize/line_search.h"
#include "optimize/optimizer.h"

namespace rhohat {

struct LbfgsOptions {
  int64_t history = 20;  // pairs kept, at least 1
};

// T is float or double: the type of all vectors. Values, slopes and steps are double. An object can
// be copied between any two evaluations, and the copy goes on as the original would.
template <class T>
class Lbfgs : public Optimizer<T> {
 public:
  // Throws Error(kUsage) where history < 1. Allocates everything it will ever need.
  Lbfgs(std::span<const T> start, const LbfgsOptions& options);

  std::span<const T> trial() const override { return trial_; }
  Step Tell(double cost, std::span<const T> gradient) override;
  std::span<const T> point() const override { return point_; }
  double cost() const override { return cost_; }
  std::span<const T> gradient() const override { return gradient_; }
  std::string_view failure() const override { return failure_; }

  // Bytes allocated for that many parameters: 4 + 2·history vectors of T and 2·history doubles.
  // Throws Error where the number does not fit.
  static size_t MemoryBytes(size_t parameters, int64_t history);

 private:
  enum class Phase {
    kStart,      // trial() is the starting point
    kSearching,  // trial() is a trial point of search_
    kExhausted,  // there is no direction to search in: the next Tell() fails
    kFailed,
  };

  Step TellStart(double cost, std::span<const T> gradient);
  Step Accept(double cost, std::span<const T> gradient);
  Step Recover();
  Step Fail(std::string_view why);

  void BeginIteration();
  bool SearchQuasiNewton();
  bool SearchSteepest();
  bool StartSearch(double initial_step);
  bool MoveTrial(double last_step);

  void LearnPair(std::span<const T> gradient);
  // Where the pair is kept that is `age` pairs older than the newest.
  size_t Slot(int64_t age) const;
  std::span<T> PointChange(size_t slot);
  std::span<T> GradientChange(size_t slot);

  int64_t history_;
  Phase phase_ = Phase::kStart;
  std::string failure_;

  double cost_ = 0;
  std::vector<T> point_;
  std::vector<T> gradient_;
  std::vector<T> direction_;
  std::vector<T> trial_;
  LineSearch search_;

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
