// The kernels for any CPU.
#define RHOHAT_KERNEL_SET portable
#include "math/kernels_impl.inc"
