// Allocations: the fault library stands before the C library's own, whose inner functions it calls.
// Their path is the name of the library that asks: what C++ allocates by `new` is libstdc++'s.
#include <dlfcn.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "fault_plan.h"

extern "C" {
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* memory, size_t size);
void* __libc_memalign(size_t alignment, size_t size);
}

namespace {

// Empty for the program itself.
const char* ObjectAt(void* address) {
  dl_find_object object{};
  return ::_dl_find_object(address, &object) == 0 ? object.dlfo_link_map->l_name : "";
}

// Memory is there or not; a process that is to die dies at once.
bool IsRefused(size_t bytes, void* caller) {
  using rhohat::fault::Way;
  const rhohat::fault::Verdict verdict = rhohat::fault::Judge("allocate", bytes, ObjectAt(caller));
  if (verdict.way == Way::kGoOn) return false;
  if (verdict.way != Way::kFail) rhohat::fault::Die();
  errno = verdict.code;
  return true;
}

}  // namespace

extern "C" {

void* malloc(size_t size) noexcept {
  return IsRefused(size, __builtin_return_address(0)) ? nullptr : __libc_malloc(size);
}

void* calloc(size_t count, size_t size) noexcept {
  return IsRefused(count * size, __builtin_return_address(0)) ? nullptr
                                                              : __libc_calloc(count, size);
}

void* realloc(void* memory, size_t size) noexcept {
  return IsRefused(size, __builtin_return_address(0)) ? nullptr : __libc_realloc(memory, size);
}

void* memalign(size_t alignment, size_t size) noexcept {
  return IsRefused(size, __builtin_return_address(0)) ? nullptr : __libc_memalign(alignment, size);
}

void* aligned_alloc(size_t alignment, size_t size) noexcept {
  return IsRefused(size, __builtin_return_address(0)) ? nullptr : __libc_memalign(alignment, size);
}

int posix_memalign(void** memory, size_t alignment, size_t size) noexcept {
  const int errno_before = errno;
  *memory =
      IsRefused(size, __builtin_return_address(0)) ? nullptr : __libc_memalign(alignment, size);
  errno = errno_before;
  return *memory == nullptr ? ENOMEM : 0;
}

void* mmap(void* where, size_t size, int protection, int flags, int file, off_t offset) noexcept {
  if ((flags & MAP_ANONYMOUS) != 0 && IsRefused(size, __builtin_return_address(0)))
    return MAP_FAILED;
  const long mapped = ::syscall(SYS_mmap, where, size, protection, flags, file, offset);
  return mapped == -1 ? MAP_FAILED : reinterpret_cast<void*>(static_cast<intptr_t>(mapped));
}

}  // extern "C"
