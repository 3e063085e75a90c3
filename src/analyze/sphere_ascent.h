// The largest value of a smooth function on a sphere around 0.
//
// With x = r u / ‖u‖ the sphere goes away: L-BFGS ascends over u, where the gradient is that of the
// function projected on the sphere's tangent, times r / ‖u‖. At a maximum ∇f lies along x itself:
// the first-order condition under ‖x‖ = r.
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
  double tolerance = 1e-6;  // ends where ‖projected gradient‖ ≤ tolerance · ‖gradient‖,
  double least_gain = 1e-12;  // or where ten iterations gained less than this part of the value,
  int64_t evaluations = 300;  // or after as many
};

struct SphereAscentResult {
  double value = 0;
  bool has_slope = false;  // the gradient at the start was not zero
};

// Moves each row of `points` up, on the sphere that it lies on; none ever to a lower value. Points
// that are 0, or where the function is not finite, stay. The result is a function of the operands
// alone.
std::vector<SphereAscentResult> AscendOnSphere(const PointFunctions& functions,
                                               std::span<const int64_t> which,
                                               const SphereAscentOptions& options,
                                               MatrixView<double> points);

// Scales `point` to the norm given; leaves zeros and what is not finite as they are.
void ScaleToNorm(double norm, std::span<double> point);

}  // namespace rhohat
