#include "tools/status_line.h"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

namespace rhohat {
namespace {

constexpr double kSecondsBetweenLines = 30;
constexpr double kSecondsBetweenDrawings = 0.1;

double SteadySeconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

size_t TerminalColumns(std::FILE* file) {
  winsize size{};
  const bool known = ioctl(fileno(file), TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 80;
}

// Failures are let pass: work goes on where nobody can watch it.
void Put(std::FILE* file, const std::string& text) {
  std::fputs(text.c_str(), file);
  std::fflush(file);
}

}  // namespace

StatusLine::Output StatusLine::StandardError() {
  return {stderr, isatty(STDERR_FILENO) == 1, SteadySeconds};
}

StatusLine::StatusLine(Output output) : output_(std::move(output)), shown_at_(output_.seconds()) {}

bool StatusLine::IsLineDue() const { return seconds() - shown_at_ >= kSecondsBetweenLines; }

bool StatusLine::IsBarDue() const {
  return !bar_shown_ || seconds() - shown_at_ >= kSecondsBetweenDrawings;
}

void StatusLine::Draw(const std::string& bar) {
  const std::string fitting = bar.substr(0, TerminalColumns(output_.file) - 1);
  Put(output_.file, fmt::format("\r{}\033[K", fitting));
  shown_at_ = seconds();
  bar_shown_ = true;
}

void StatusLine::Write(const std::string& line) {
  Clear();
  Put(output_.file, fmt::format("rhohat: {}\n", line));
  shown_at_ = seconds();
}

void StatusLine::Clear() {
  if (!bar_shown_) return;
  Put(output_.file, "\r\033[K");
  bar_shown_ = false;
}

std::string ProgressBar(int64_t done, int64_t total) {
  constexpr int64_t kCells = 10;
  const double share = total > 0 ? static_cast<double>(done) / static_cast<double>(total) : 0;
  const auto filled = static_cast<int64_t>(std::clamp(share, 0.0, 1.0) * kCells);
  return fmt::format("[{:=<{}}{:<{}}]", "", filled, "", kCells - filled);
}

std::string ShortCount(int64_t count) {
  if (count < 1000) return fmt::format("{}", count);
  const auto value = static_cast<double>(count);
  if (count < 1'000'000) return fmt::format("{:.3g}k", std::floor(value / 100) / 10);
  if (count < 1'000'000'000) return fmt::format("{:.4g}M", std::floor(value / 1e4) / 100);
  return fmt::format("{:.4g}G", std::floor(value / 1e7) / 100);
}

}  // namespace rhohat
