// The largest value of a smooth function on a sphere, by projected gradient ascent.
//
// A step goes along the tangent of the sphere at the point, which is the gradient less its radial
// part, and then back to the sphere. Its length is that of Barzilai and Borwein ("Two-point step
// size gradient methods", IMA J. Numer. Anal. 8, 1988), cut down until the value rises enough. The
// first step is chosen so that it lands on the gradient itself, which for a linear function is the
// maximum. A point at rest has its gradient along its own direction: the first-order condition.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "math/views.h"

namespace rhohat {

// Many points ascend together, each a function of its own, so that those who evaluate them can do
// so by matrix products: values[i] and gradients.row(i) are those of function which[i] at
// points.row(i).
using PointFunctions =
    std::function<void(std::span<const int64_t> which, MatrixView<const double> points,
                       std::span<double> values, MatrixView<double> gradients)>;

struct SphereAscentOptions {
  double tolerance = 1e-6;  // at rest: ‖tangent part‖ ≤ tolerance · ‖gradient‖
  int64_t evaluations = 500;
};

struct SphereAscentResult {
  double value = 0;
  bool has_slope = false;  // the gradient at the start was not zero
  bool at_rest = false;    // the tolerance was reached
};

// Moves each row of `points` up, on the sphere around 0 that it lies on; no row ever to a lower
// value. Points that are 0 or not finite stay. The result is a function of the operands alone, in
// double.
std::vector<SphereAscentResult> AscendOnSphere(const PointFunctions& functions,
                                               std::span<const int64_t> which,
                                               const SphereAscentOptions& options,
                                               MatrixView<double> points);

// Scales `point` to the norm given; leaves zeros and what is not finite as they are.
void ScaleToNorm(double norm, std::span<double> point);

}  // namespace rhohat
