// The least and the greatest entry of all rows: what salt and pepper are (docs/math.md §4).
#pragma once

#include <utility>

#include "sweep/sweep.h"

namespace rhohat {

// One pass over the rows as the sweep hands them out.
template <class T>
std::pair<double, double> FindInputRange(Sweep<T>& sweep);

}  // namespace rhohat
