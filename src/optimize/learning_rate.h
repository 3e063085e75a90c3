// The learning rate of each step: constant, or falling to zero along half a cosine wave
// (I. Loshchilov, F. Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017,
// without restarts), either after a linear rise from near zero. A function of the step's number
// alone, so there is nothing to save.
#pragma once

#include <cstdint>

namespace rhohat {

struct LearningRate {
  double base = 1e-3;        // > 0: the highest
  bool cosine = false;       // else constant
  int64_t warmup_steps = 0;  // of the rise
  int64_t steps = 1;         // in all

  // Of step `step`, counted from 0. The rise ends with `base` itself at its last step; the fall
  // begins with it and would reach 0 at step `steps`.
  double At(int64_t step) const;
};

}  // namespace rhohat
