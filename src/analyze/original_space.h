// What excites a unit, seen before the preparation of the input.
//
// A unit that sees prepared rows p(x) changes with x by p′ᵀ times as it does with p. Preparations
// are linear but for a shift, so the direction of steepest ascent is one map for all inputs: Pᵀ for
// a matrix P, and its like. For a whitened patch that undoes nothing; it applies the whitening once
// more, from the other side, as UFLDL does when it shows W·ZCAWhite.
#pragma once

#include "math/views.h"
#include "rhohat/preparation.h"

namespace rhohat {

// Each row of `directions`, ∇ with regard to prepared inputs, becomes ∇ with regard to the inputs
// as they were, up to one positive factor. What kGlobal cuts off is taken to be within its limits.
// Throws Error(kBadData) where the preparation was fitted to rows of another width.
void ToOriginalSpace(const Preparation& preparation, MatrixView<double> directions);

}  // namespace rhohat
