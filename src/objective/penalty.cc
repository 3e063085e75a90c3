#include "objective/penalty.h"

namespace rhohat {

// Each is in the file of its name and appends what the options ask for.
#define RHOHAT_DECLARE_PENALTY(Add)                                        \
  template <class T>                                                       \
  void Add(const ObjectiveOptions& options, const NetworkOptions& network, \
           const NetworkShape& shape, Penalties<T>& penalties);
RHOHAT_DECLARE_PENALTY(AddWeightDecay)
RHOHAT_DECLARE_PENALTY(AddSparsity)
RHOHAT_DECLARE_PENALTY(AddL1)
RHOHAT_DECLARE_PENALTY(AddContraction)
#undef RHOHAT_DECLARE_PENALTY

template <class T>
Penalties<T> MakePenalties(const ObjectiveOptions& options, const NetworkOptions& network,
                           const NetworkShape& shape) {
  constexpr decltype(&AddWeightDecay<T>) kTable[] = {AddWeightDecay<T>, AddSparsity<T>, AddL1<T>,
                                                     AddContraction<T>};
  Penalties<T> penalties;
  for (const auto add : kTable) add(options, network, shape, penalties);
  return penalties;
}

template Penalties<float> MakePenalties(const ObjectiveOptions&, const NetworkOptions&,
                                        const NetworkShape&);
template Penalties<double> MakePenalties(const ObjectiveOptions&, const NetworkOptions&,
                                         const NetworkShape&);

}  // namespace rhohat
