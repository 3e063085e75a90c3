// Nonlinear conjugate gradients: each direction keeps a part of the one before.
//
// The direction is d_k = −g_k + β_k d_{k−1}, where g is the gradient and
//
//   β_k = max(0, g_kᵀ(g_k − g_{k−1}) / g_{k−1}ᵀg_{k−1})
//
// after Polak and Ribière, cut off at 0 (J. Nocedal and S. J. Wright, "Numerical Optimization",
// 2nd edition, (5.44) and (5.45)). Four vectors is all that it keeps: it is for problems with so
// many parameters that the pairs of L-BFGS do not fit. It takes about twice the evaluations.
//
// Conjugacy is meant for quadratics, and for them successive gradients are orthogonal. Where they
// are far from it the method restarts with β = 0, after M. J. D. Powell, "Restart procedures for
// the conjugate gradient method", Mathematical Programming 12 (1977), 241–254.
#pragma once

#include <cstddef>
#include <span>

#include "optimize/direction_search.h"

namespace rhohat {

template <class T>
class ConjugateGradient : public DirectionSearch<T> {
 public:
  // Allocates everything it will ever need.
  explicit ConjugateGradient(std::span<const T> start);

  // Bytes allocated for that many parameters: four vectors of T. Throws Error where the number does
  // not fit.
  static size_t MemoryBytes(size_t parameters);

  void Visit(State& state) override;

 private:
  void Learn(std::span<const T> gradient, std::span<T> last_gradient,
             std::span<T> direction) override;
  bool Turn(std::span<T> direction) override;
  double FirstStep(double slope) const override;
  void Forget() override;

  double beta_ = 0;        // of the next direction
  double last_step_ = 0;   // of the last iteration; 0 where there is none to go by
  double last_slope_ = 0;  // along the direction of the last iteration, where it began
};

}  // namespace rhohat
