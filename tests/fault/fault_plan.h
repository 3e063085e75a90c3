// Which call of the system goes wrong, and how: what the fault library is told by its environment.
//
//   FAULT_CALL     names of the calls that count, with commas between; empty: every file call
//   FAULT_PATH     only calls on a path that holds this text
//   FAULT_LEAST    only calls of at least so many bytes
//   FAULT_AT       the number, from 1, of the counted call that goes wrong; 0: none does
//   FAULT_DO       EIO, ENOSPC, …: it fails so. short: half the bytes are transferred, and end:
//   none.
//                  kill: the process is killed instead of the call, kill-half: in the middle of it,
//                  kill-after: behind it. stall: it takes a minute, and linger: a twentieth of a
//                  second. USR1, TERM, INT: that signal comes right before it
//   FAULT_LASTING  1: all calls counted after that one go wrong as well
//   FAULT_LOG      a file that gets a line for each counted call: number, name, bytes, path
//
// Calls are "write" (with its kin pwrite and writev), "read", "pread", "fsync", "rename", "create"
// (opening a file that may be new), "open", "truncate", "unlink", "mkdir", "close", "allocate".
// Counted is from the moment main() begins. Nothing here allocates memory, and numbers are handed
// out atomically: calls may come from any thread.
#pragma once

#include <cstddef>

namespace rhohat::fault {

enum class Way { kGoOn, kFail, kHalf, kNothing, kKill, kKillHalf, kKillAfter };

struct Verdict {
  Way way = Way::kGoOn;
  int code = 0;  // errno, of kFail
};

// What becomes of this call. `path` may be null where `descriptor` says which file it is about.
Verdict Judge(const char* call, size_t bytes, const char* path, int descriptor = -1);

// Ends the process as kill -9 does.
[[noreturn]] void Die();

}  // namespace rhohat::fault
