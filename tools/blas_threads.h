// Keeps OpenBLAS from threads that the program has no use for.
#pragma once

namespace rhohat {

// OpenBLAS makes a thread for every processor when it is loaded, before main(). Each of them asks
// for 128 MiB of address space until it gets it: where that is limited (`ulimit -v`), as batch
// systems do, the program could never end. There it starts anew, as the same process, with
// OPENBLAS_NUM_THREADS=1. `arguments` are main()'s.
void DoWithoutBlasThreads(char** arguments);

}  // namespace rhohat
