#include "objective/loss.h"

#include "math/kernels.h"
#include "rhohat/error.h"

namespace rhohat {

template <class T>
LossFunctions<T> FunctionsOf(Loss loss) {
  switch (loss) {
    case Loss::kSquared:
      return {BestKernels<T>().squared_error};
  }
  throw Error(ErrorKind::kInternal, "unknown loss");
}

template LossFunctions<float> FunctionsOf(Loss);
template LossFunctions<double> FunctionsOf(Loss);

}  // namespace rhohat
