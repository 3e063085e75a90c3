#include "objective/weight_decay.h"

#include "math/vector_ops.h"

namespace rhohat {

template <class T>
double WeightDecayCost(double lambda, const Parameters<const T>& parameters) {
  const std::span<const T> encoder = parameters.encoder_weight.flat();
  const std::span<const T> decoder = parameters.decoder_weight.flat();
  return lambda / 2 * (Dot(encoder, encoder) + Dot(decoder, decoder));
}

template double WeightDecayCost(double, const Parameters<const float>&);
template double WeightDecayCost(double, const Parameters<const double>&);

}  // namespace rhohat
