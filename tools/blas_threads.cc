#include "tools/blas_threads.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace rhohat {

void DoWithoutBlasThreads(char** arguments) {
  constexpr const char* kName = "OPENBLAS_NUM_THREADS";
  constexpr const char* kOne = "1";
  struct rlimit address_space {};
  if (getrlimit(RLIMIT_AS, &address_space) != 0 || address_space.rlim_cur == RLIM_INFINITY) return;
  const char* const threads = std::getenv(kName);
  if (threads != nullptr && std::strcmp(threads, kOne) == 0) return;
  if (setenv(kName, kOne, 1) == 0) execv("/proc/self/exe", arguments);
  // Where it fails, all is as it was.
}

}  // namespace rhohat
