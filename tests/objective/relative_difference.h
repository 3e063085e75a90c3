// How far two vectors are from one another.
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

namespace rhohat {

// ‖a − b‖ / ‖b‖.
template <class A, class B>
double RelativeDifference(const std::vector<A>& a, const std::vector<B>& b) {
  double difference = 0;
  double size = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    difference += std::pow(static_cast<double>(a[i]) - static_cast<double>(b[i]), 2);
    size += std::pow(static_cast<double>(b[i]), 2);
  }
  return std::sqrt(difference / size);
}

}  // namespace rhohat
