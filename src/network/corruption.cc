#include "network/corruption.h"

#include "rhohat/error.h"

namespace rhohat {

template <class T>
Corruption<T>::Corruption(const NoiseOptions& options, const NoiseSource& source)
    : options_(options), source_(source) {}

template <class T>
void Corruption<T>::Apply(int64_t first_row, MatrixView<const T> rows, MatrixView<T> out) const {
  const Kernels<T>& kernels = BestKernels<T>();
  for (int64_t i = 0; i < rows.rows; ++i) {
    const NoiseKey key{source_.seed, epoch_, static_cast<uint64_t>(first_row + i)};
    switch (options_.kind) {
      case NoiseKind::kMask:
        kernels.mask(key, options_.amount, rows.row(i), out.row(i), rows.columns);
        break;
      case NoiseKind::kGaussian:
        kernels.add_gaussian(key, options_.amount, rows.row(i), out.row(i), rows.columns);
        break;
      case NoiseKind::kSaltPepper:
        kernels.salt_and_pepper(key, options_.amount, static_cast<T>(source_.low),
                                static_cast<T>(source_.high), rows.row(i), out.row(i),
                                rows.columns);
        break;
      case NoiseKind::kNone:
        throw Error(ErrorKind::kInternal, "no noise to apply");
    }
  }
}

template class Corruption<float>;
template class Corruption<double>;

}  // namespace rhohat
