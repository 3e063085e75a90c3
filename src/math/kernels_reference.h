// The kernels' naive twins: the definition that every fast one is tested against.
#pragma once

#include "math/kernels.h"

namespace rhohat {

// Standard library functions in long double, one value at a time.
template <class T>
const Kernels<T>& ReferenceKernels();

}  // namespace rhohat
