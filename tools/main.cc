// The program: finds the subcommand, runs it, and turns what it throws into one line and an exit
// code.
#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <new>

#include "base/version.h"
#include "rhohat/error.h"
#include "tools/blas_threads.h"
#include "tools/command.h"
#include "tools/print.h"
#include "tools/signals.h"
#include "tools/standard_streams.h"

namespace rhohat {
namespace {

constexpr int kUsageExit = static_cast<int>(ErrorKind::kUsage);
constexpr int kInternalExit = static_cast<int>(ErrorKind::kInternal);

void Dispatch(const Arguments& words) {
  const std::string& name = words.front();
  if (name == "--help" || name == "-h" || name == "help") return Print(OverviewText());
  if (name == "--version") return Print(fmt::format("rhohat {}\n", kVersion));
  const Command& command = FindCommand(name);
  if (command.can_stop) CatchStopSignals();
  command.run({words.begin() + 1, words.end()}, StopRequested());
}

int Report(std::string message, int exit_code) {
  // Names out of files may hold anything; a terminal must not act on it.
  std::ranges::replace_if(
      message, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  std::fputs(fmt::format("rhohat: error: {}\n", message).c_str(), stderr);
  return exit_code;
}

int Run(const Arguments& words) {
  if (words.empty()) {
    std::fputs(OverviewText().c_str(), stderr);
    return kUsageExit;
  }
  try {
    Dispatch(words);
    FlushPrinted();
    return 0;
  } catch (const Error& error) {
    return Report(error.what(), error.exit_code());
  } catch (const Stopped& stopped) {
    if (!stopped.exit_code()) return Report(stopped.what(), SignalExitCode());
    std::fputs(fmt::format("rhohat: {}\n", stopped.what()).c_str(), stderr);
    return *stopped.exit_code();
  } catch (const std::bad_alloc&) {
    return Report("out of memory: try a smaller --memory or fewer --threads", kInternalExit);
  } catch (const std::exception& fault) {
    return Report(fmt::format("internal fault: {}", fault.what()), kInternalExit);
  }
}

}  // namespace
}  // namespace rhohat

int main(int argument_count, char** arguments) {
  rhohat::DoWithoutBlasThreads(arguments);
  rhohat::OpenStandardStreams();
  rhohat::IgnoreWriteSignals();
  const int skipped = std::min(argument_count, 1);
  try {
    return rhohat::Run({arguments + skipped, arguments + argument_count});
  } catch (const std::bad_alloc&) {
    // Before anything was done, or while a message was put together.
    std::fputs("rhohat: error: out of memory\n", stderr);
    return rhohat::kInternalExit;
  }
}
