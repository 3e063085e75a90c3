#include <string_view>

#include "math/kernels.h"

namespace rhohat {

#define RHOHAT_DECLARE_SET(set) \
  namespace set {               \
  template <class T>            \
  const Kernels<T>& Table();    \
  }
RHOHAT_DECLARE_SET(portable)
#if defined(__x86_64__)
RHOHAT_DECLARE_SET(avx2)
RHOHAT_DECLARE_SET(avx512)
#endif
#undef RHOHAT_DECLARE_SET

template <class T>
const Kernels<T>* FindKernels(const char* name) {
  const std::string_view wanted = name;
  if (wanted == "portable") return &portable::Table<T>();
#if defined(__x86_64__)
  if (wanted == "avx2" && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    return &avx2::Table<T>();
  }
  if (wanted == "avx512" && __builtin_cpu_supports("avx512f") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl")) {
    return &avx512::Table<T>();
  }
#endif
  return nullptr;
}

template <class T>
const Kernels<T>& BestKernels() {
  static const Kernels<T>& best = []() -> const Kernels<T>& {
    for (const char* name : {"avx512", "avx2"}) {
      if (const Kernels<T>* kernels = FindKernels<T>(name)) return *kernels;
    }
    return *FindKernels<T>("portable");
  }();
  return best;
}

template const Kernels<float>* FindKernels<float>(const char*);
template const Kernels<double>* FindKernels<double>(const char*);
template const Kernels<float>& BestKernels<float>();
template const Kernels<double>& BestKernels<double>();

}  // namespace rhohat
