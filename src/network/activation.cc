#include "network/activation.h"

#include "math/kernels.h"
#include "rhohat/error.h"

namespace rhohat {

template <class T>
ActivationFunctions<T> FunctionsOf(Activation activation) {
  const Kernels<T>& kernels = BestKernels<T>();
  switch (activation) {
    case Activation::kSigmoid:
      return {kernels.add_bias_sigmoid, kernels.times_sigmoid_slope, 0, 1};
  }
  throw Error(ErrorKind::kInternal, "unknown activation");
}

template ActivationFunctions<float> FunctionsOf(Activation);
template ActivationFunctions<double> FunctionsOf(Activation);

}  // namespace rhohat
