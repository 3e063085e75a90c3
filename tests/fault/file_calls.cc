// The calls on files that the fault library takes the place of. Each asks what becomes of it, and
// then goes to the kernel itself, whatever library it was called from.
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>

#include "fault_plan.h"

using rhohat::fault::Die;
using rhohat::fault::Judge;
using rhohat::fault::Verdict;
using rhohat::fault::Way;

namespace {

// For calls that happen or do not. `call` goes to the kernel.
template <class Call>
long Whole(const Verdict& verdict, const Call& call) {
  if (verdict.way == Way::kFail) {
    errno = verdict.code;
    return -1;
  }
  const long result = call();
  if (verdict.way == Way::kKillAfter || verdict.way == Way::kKillHalf) Die();
  return result;
}

// For calls that transfer bytes, and may transfer fewer. `call` is told how many.
template <class Call>
long Transfer(const Verdict& verdict, size_t bytes, const Call& call) {
  if (verdict.way == Way::kNothing) return 0;
  const bool is_half = verdict.way == Way::kHalf || verdict.way == Way::kKillHalf;
  return Whole(verdict, [&] { return call(is_half ? (bytes + 1) / 2 : bytes); });
}

// Such a call has a third argument.
bool MayCreate(int flags) { return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE; }

int Open(int folder, const char* path, int flags, mode_t mode) {
  return static_cast<int>(Whole(Judge(MayCreate(flags) ? "create" : "open", 0, path),
                                [&] { return ::syscall(SYS_openat, folder, path, flags, mode); }));
}

}  // namespace

extern "C" {

ssize_t write(int file, const void* bytes, size_t size) {
  return Transfer(Judge("write", size, nullptr, file), size,
                  [&](size_t count) { return ::syscall(SYS_write, file, bytes, count); });
}

ssize_t pwrite(int file, const void* bytes, size_t size, off_t offset) {
  return Transfer(Judge("write", size, nullptr, file), size, [&](size_t count) {
    return ::syscall(SYS_pwrite64, file, bytes, count, offset);
  });
}

// Half of the parts stands for half of the bytes.
ssize_t writev(int file, const iovec* parts, int count) {
  size_t size = 0;
  for (int i = 0; i < count; ++i) size += parts[i].iov_len;
  return Transfer(Judge("write", size, nullptr, file), static_cast<size_t>(count),
                  [&](size_t some) { return ::syscall(SYS_writev, file, parts, some); });
}

ssize_t read(int file, void* bytes, size_t size) {
  return Transfer(Judge("read", size, nullptr, file), size,
                  [&](size_t count) { return ::syscall(SYS_read, file, bytes, count); });
}

ssize_t pread(int file, void* bytes, size_t size, off_t offset) {
  return Transfer(Judge("pread", size, nullptr, file), size,
                  [&](size_t count) { return ::syscall(SYS_pread64, file, bytes, count, offset); });
}

int fsync(int file) {
  return static_cast<int>(
      Whole(Judge("fsync", 0, nullptr, file), [&] { return ::syscall(SYS_fsync, file); }));
}

int fdatasync(int file) {
  return static_cast<int>(
      Whole(Judge("fsync", 0, nullptr, file), [&] { return ::syscall(SYS_fdatasync, file); }));
}

int rename(const char* from, const char* to) noexcept {
  return static_cast<int>(
      Whole(Judge("rename", 0, to), [&] { return ::syscall(SYS_rename, from, to); }));
}

int renameat2(int from_folder, const char* from, int to_folder, const char* to,
              unsigned flags) noexcept {
  return static_cast<int>(Whole(Judge("rename", 0, to), [&] {
    return ::syscall(SYS_renameat2, from_folder, from, to_folder, to, flags);
  }));
}

int open(const char* path, int flags, ...) {
  mode_t mode = 0;
  if (MayCreate(flags)) {
    va_list rest;
    va_start(rest, flags);
    mode = va_arg(rest, mode_t);
    va_end(rest);
  }
  return Open(AT_FDCWD, path, flags, mode);
}

int openat(int folder, const char* path, int flags, ...) {
  mode_t mode = 0;
  if (MayCreate(flags)) {
    va_list rest;
    va_start(rest, flags);
    mode = va_arg(rest, mode_t);
    va_end(rest);
  }
  return Open(folder, path, flags, mode);
}

int ftruncate(int file, off_t size) noexcept {
  return static_cast<int>(Whole(Judge("truncate", 0, nullptr, file),
                                [&] { return ::syscall(SYS_ftruncate, file, size); }));
}

int truncate(const char* path, off_t size) noexcept {
  return static_cast<int>(
      Whole(Judge("truncate", 0, path), [&] { return ::syscall(SYS_truncate, path, size); }));
}

int unlink(const char* path) noexcept {
  return static_cast<int>(
      Whole(Judge("unlink", 0, path), [&] { return ::syscall(SYS_unlink, path); }));
}

// Of files, which is what std::filesystem::remove() asks for.
int remove(const char* path) noexcept {
  if (unlink(path) == 0) return 0;
  return errno == EISDIR || errno == EPERM ? static_cast<int>(::syscall(SYS_rmdir, path)) : -1;
}

int mkdir(const char* path, mode_t mode) noexcept {
  return static_cast<int>(
      Whole(Judge("mkdir", 0, path), [&] { return ::syscall(SYS_mkdir, path, mode); }));
}

// The descriptor is free again even where closing fails, as Linux has it.
int close(int file) {
  const Verdict verdict = Judge("close", 0, nullptr, file);
  const long result = ::syscall(SYS_close, file);
  return static_cast<int>(Whole(verdict, [&] { return result; }));
}

}  // extern "C"
