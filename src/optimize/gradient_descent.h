// Gradient descent with momentum: the simple baseline.
//
// The heavy ball of B. T. Polyak (1964): velocity ← momentum · velocity − learning_rate · ∇f, then
// point ← point + velocity. No line search: every evaluation is an iteration, whether the cost fell
// or not, and a learning rate that is too large makes it diverge.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "optimize/optimizer.h"

namespace rhohat {

struct GradientDescentOptions {
  double learning_rate = 0.1;  // > 0
  double momentum = 0.9;       // in [0, 1)
};

// T is float or double: the type of all vectors. An object can be copied between any two
// evaluations, and the copy goes on as the original would.
template <class T>
class GradientDescent : public Optimizer<T> {
 public:
  // Throws Error(kUsage) where an option is out of range. Allocates everything it will ever need.
  GradientDescent(std::span<const T> start, const GradientDescentOptions& options);

  // point() is the last point that was evaluated, trial() the one after it.
  std::span<const T> trial() const override { return trial_; }
  Step Tell(double cost, std::span<const T> gradient) override;
  std::span<const T> point() const override { return point_; }
  double cost() const override { return cost_; }
  std::span<const T> gradient() const override { return gradient_; }
  std::string_view failure() const override { return failure_; }
  void Visit(State& state) override;

  // Bytes allocated for that many parameters: four vectors of T. Throws Error where the number does
  // not fit.
  static size_t MemoryBytes(size_t parameters);

 private:
  Step Fail(std::string_view why);

  GradientDescentOptions options_;
  bool started_ = false;
  std::string failure_;  // empty until Tell() fails

  double cost_ = 0;
  std::vector<T> point_;
  std::vector<T> gradient_;
  std::vector<T> velocity_;
  std::vector<T> trial_;
};

}  // namespace rhohat
