#include "train/input_range.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "math/kernels.h"

namespace rhohat {
namespace {

template <class T>
struct Ends {
  T low;
  T high;

  void Clear() {
    low = std::numeric_limits<T>::max();
    high = std::numeric_limits<T>::lowest();
  }
  void Add(const Ends& other) {
    low = std::min(low, other.low);
    high = std::max(high, other.high);
  }
};

}  // namespace

template <class T>
std::pair<double, double> FindInputRange(Sweep<T>& sweep) {
  std::vector<Ends<T>> lanes(static_cast<size_t>(sweep.lanes()));
  const Ends<T>& ends = sweep.Run(std::span(lanes), [](const Block<T>& block, Ends<T>& lane) {
    BestKernels<T>().extend_range(block.rows.data(), std::ssize(block.rows), &lane.low, &lane.high);
  });
  return {static_cast<double>(ends.low), static_cast<double>(ends.high)};
}

template std::pair<double, double> FindInputRange(Sweep<float>&);
template std::pair<double, double> FindInputRange(Sweep<double>&);

}  // namespace rhohat
