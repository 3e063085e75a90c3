#include "fault_plan.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace rhohat::fault {
namespace {

struct NamedCode {
  const char* name;
  int code;
};

constexpr NamedCode kCodes[] = {{"EIO", EIO},       {"ENOSPC", ENOSPC}, {"EDQUOT", EDQUOT},
                                {"EINTR", EINTR},   {"ENOMEM", ENOMEM}, {"EACCES", EACCES},
                                {"ESTALE", ESTALE}, {"EROFS", EROFS}};
constexpr NamedCode kSignals[] = {{"USR1", SIGUSR1}, {"TERM", SIGTERM}, {"INT", SIGINT}};

struct NamedWay {
  const char* name;
  Way way;
};

constexpr NamedWay kWays[] = {{"short", Way::kHalf},
                              {"end", Way::kNothing},
                              {"kill", Way::kKill},
                              {"kill-half", Way::kKillHalf},
                              {"kill-after", Way::kKillAfter}};

// Set once, before main(); the strings are the environment's own.
struct Plan {
  const char* calls = "";
  const char* path = "";
  size_t least = 0;
  long at = 0;
  bool is_lasting = false;
  Verdict verdict;
  int signal = 0;
  long pause_milliseconds = 0;
  int log = -1;
};

Plan plan;
std::atomic<bool> is_armed = false;
std::atomic<long> count = 0;

const char* Setting(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

void ReadWhatToDo(const char* word) {
  for (const NamedCode& known : kCodes) {
    if (std::strcmp(word, known.name) == 0) plan.verdict = {Way::kFail, known.code};
  }
  for (const NamedCode& known : kSignals) {
    if (std::strcmp(word, known.name) == 0) plan.signal = known.code;
  }
  for (const NamedWay& known : kWays) {
    if (std::strcmp(word, known.name) == 0) plan.verdict = {known.way, 0};
  }
  if (std::strcmp(word, "stall") == 0) plan.pause_milliseconds = 60'000;
  if (std::strcmp(word, "linger") == 0) plan.pause_milliseconds = 50;
  const bool does_something =
      plan.verdict.way != Way::kGoOn || plan.signal != 0 || plan.pause_milliseconds > 0;
  if (plan.at > 0 && !does_something) {
    std::fprintf(stderr, "fault library: FAULT_DO: unknown: %s\n", word);
    std::abort();
  }
}

// The log's descriptor is a high one, so that the program's own have their usual numbers.
int OpenLog(const char* path) {
  if (*path == '\0') return -1;
  constexpr int kHigh = 200;
  const int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC;
  const long low = ::syscall(SYS_openat, AT_FDCWD, path, flags, 0666);
  const long high = ::syscall(SYS_fcntl, low, F_DUPFD_CLOEXEC, kHigh);
  if (high < 0) std::abort();
  ::syscall(SYS_close, low);
  return static_cast<int>(high);
}

__attribute__((constructor)) void ReadPlan() {
  plan.calls = Setting("FAULT_CALL");
  plan.path = Setting("FAULT_PATH");
  plan.least = std::strtoull(Setting("FAULT_LEAST"), nullptr, 10);
  plan.at = std::strtol(Setting("FAULT_AT"), nullptr, 10);
  plan.is_lasting = std::strcmp(Setting("FAULT_LASTING"), "1") == 0;
  ReadWhatToDo(Setting("FAULT_DO"));
  plan.log = OpenLog(Setting("FAULT_LOG"));
}

// Whether `name` is one of a list with commas.
bool IsListed(const char* name, const char* list) {
  const size_t length = std::strlen(name);
  for (const char* place = list; (place = std::strstr(place, name)) != nullptr; place += length) {
    const bool begins = place == list || place[-1] == ',';
    if (begins && (place[length] == ',' || place[length] == '\0')) return true;
  }
  return false;
}

bool IsCounted(const char* call, size_t bytes) {
  if (bytes < plan.least) return false;
  if (*plan.calls == '\0') return std::strcmp(call, "allocate") != 0;
  return IsListed(call, plan.calls);
}

void Log(long number, const char* call, size_t bytes, const char* path) {
  char line[4300];
  const int length = std::snprintf(line, sizeof line, "%ld %s %zu %s\n", number, call, bytes, path);
  ::syscall(SYS_write, plan.log, line, static_cast<size_t>(length));
}

// As a disk that does not answer, which no signal interrupts.
void Pause(long milliseconds) {
  timespec rest{.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1'000'000};
  while (::nanosleep(&rest, &rest) != 0) continue;
}

}  // namespace

Verdict Judge(const char* call, size_t bytes, const char* path, int descriptor) {
  if (!is_armed || !IsCounted(call, bytes)) return {};
  const int errno_before = errno;
  char buffer[4096] = "";
  if (path == nullptr) {
    char link[40];
    std::snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    const long length = ::syscall(SYS_readlink, link, buffer, sizeof buffer - 1);
    buffer[length < 0 ? 0 : length] = '\0';
    path = buffer;
  }
  errno = errno_before;
  if (std::strstr(path, plan.path) == nullptr) return {};
  const long number = ++count;
  if (plan.log >= 0) Log(number, call, bytes, path);
  const bool is_hit = number == plan.at || (plan.is_lasting && plan.at > 0 && number > plan.at);
  if (!is_hit) return {};
  if (plan.signal != 0) std::raise(plan.signal);
  if (plan.pause_milliseconds > 0) Pause(plan.pause_milliseconds);
  if (plan.verdict.way == Way::kKill) Die();
  return plan.verdict;
}

void Die() {
  ::kill(::getpid(), SIGKILL);
  for (;;) ::pause();
}

namespace {

using Main = int (*)(int, char**, char**);
Main real_main = nullptr;

int CountedMain(int count_of_words, char** words, char** environment) {
  is_armed = true;
  return real_main(count_of_words, words, environment);
}

}  // namespace
}  // namespace rhohat::fault

// What calls main(): libraries set themselves up before it, and whatever fails there is not the
// program's to handle.
extern "C" int __libc_start_main(int (*main)(int, char**, char**), int count, char** words,
                                 void (*init)(), void (*fini)(), void (*rtld_fini)(), void* stack) {
  using Start =
      int (*)(int (*)(int, char**, char**), int, char**, void (*)(), void (*)(), void (*)(), void*);
  const auto start = reinterpret_cast<Start>(::dlsym(RTLD_NEXT, "__libc_start_main"));
  rhohat::fault::real_main = main;
  return start(rhohat::fault::CountedMain, count, words, init, fini, rtld_fini, stack);
}
