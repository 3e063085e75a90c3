#include "tools/print.h"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "base/text.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

[[noreturn]] void ThrowWriteError(int code) {
  throw Error(ErrorKind::kIo, fmt::format("cannot write to standard output: {}", ErrnoText(code)));
}

}  // namespace

void Print(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) ThrowWriteError(errno);
}

void FlushPrinted() {
  if (std::fflush(stdout) != 0) ThrowWriteError(errno);
}

std::string AlignedLines(const Lines& lines) {
  size_t width = 0;
  for (const auto& [name, value] : lines) width = std::max(width, name.size());
  std::string text;
  for (const auto& [name, value] : lines) {
    text += fmt::format("{:<{}}  {}\n", name, width, value);
  }
  return text;
}

std::string Number(double value) { return fmt::format("{:.6g}", value); }

}  // namespace rhohat
