// The kernels for CPUs with AVX-512 (F, DQ, BW, VL).
#if defined(__x86_64__)
#define RHOHAT_KERNEL_SET avx512
#include "math/kernels_impl.inc"
#endif
