// The kernels for CPUs with AVX2 and FMA.
#if defined(__x86_64__)
#define RHOHAT_KERNEL_SET avx2
#include "math/kernels_impl.inc"
#endif
