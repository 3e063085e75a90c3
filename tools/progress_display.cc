#include "tools/progress_display.h"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/units.h"

namespace rhohat {
namespace {

constexpr double kSecondsBetweenLines = 30;
constexpr double kSecondsBetweenDrawings = 0.1;
constexpr int64_t kBarCells = 10;

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

std::string Bar(int64_t done, int64_t total) {
  const double share = total > 0 ? static_cast<double>(done) / static_cast<double>(total) : 0;
  const auto filled = static_cast<int64_t>(std::clamp(share, 0.0, 1.0) * kBarCells);
  return fmt::format("[{:=<{}}{:<{}}]", "", filled, "", kBarCells - filled);
}

// "950", "12.3k", "4.57M": short enough for a bar.
std::string ShortCount(int64_t count) {
  if (count < 1000) return fmt::format("{}", count);
  const auto value = static_cast<double>(count);
  if (count < 1'000'000) return fmt::format("{:.3g}k", std::floor(value / 100) / 10);
  if (count < 1'000'000'000) return fmt::format("{:.4g}M", std::floor(value / 1e4) / 100);
  return fmt::format("{:.4g}G", std::floor(value / 1e7) / 100);
}

}  // namespace

ProgressDisplay::ProgressDisplay(int64_t iterations)
    : ProgressDisplay(iterations, {stderr, isatty(STDERR_FILENO) == 1, SteadySeconds}) {}

ProgressDisplay::ProgressDisplay(int64_t iterations, Output output)
    : output_(std::move(output)),
      iterations_(iterations),
      started_at_(output_.seconds()),
      shown_at_(started_at_) {}

void ProgressDisplay::Finish() {
  ClearBar();
  if (!output_.terminal && !last_written_) WriteIteration("");
}

void ProgressDisplay::OnNote(const std::string& line) { WriteLine("note: " + line); }

void ProgressDisplay::OnWarning(const std::string& line) { WriteLine("warning: " + line); }

void ProgressDisplay::OnIteration(const IterationMetrics& metrics) {
  last_ = metrics;
  last_written_ = false;
  iteration_at_ = output_.seconds();
  if (output_.terminal) {
    Redraw(true);
  } else if (metrics.iteration <= 1 || Due(kSecondsBetweenLines)) {
    WriteIteration(TimeLeft());
  }
}

void ProgressDisplay::OnPassProgress(const PassProgress& progress) {
  pass_ = progress;
  if (output_.terminal) {
    Redraw(false);
  } else if (Due(kSecondsBetweenLines)) {
    WriteLine(fmt::format("evaluation {}: {}{}", pass_.evaluation, RowsText(), TimeLeft()));
  }
}

void ProgressDisplay::OnRows(int64_t done, int64_t total) {
  pass_ = {1, done, total};
  if (output_.terminal) {
    Redraw(false);
  } else if (Due(kSecondsBetweenLines)) {
    WriteLine(RowsText() + TimeLeft());
  }
}

void ProgressDisplay::Redraw(bool now) {
  if (!now && bar_shown_ && !Due(kSecondsBetweenDrawings)) return;
  const bool training = iterations_ != 0;
  Draw(training ? TrainingBar()
                : fmt::format("{} {}{}", Bar(pass_.rows_done, pass_.rows_total), RowsText(),
                              TimeLeft()));
}

// ASCII only, so that it can be cut at the terminal's edge: a longer line would not be overwritten.
void ProgressDisplay::Draw(const std::string& line) {
  const std::string fitting = line.substr(0, TerminalColumns(output_.file) - 1);
  Put(output_.file, fmt::format("\r{}\033[K", fitting));
  shown_at_ = output_.seconds();
  bar_shown_ = true;
}

void ProgressDisplay::ClearBar() {
  if (!bar_shown_) return;
  Put(output_.file, "\r\033[K");
  bar_shown_ = false;
}

void ProgressDisplay::WriteLine(const std::string& line) {
  ClearBar();
  Put(output_.file, fmt::format("rhohat: {}\n", line));
  shown_at_ = output_.seconds();
}

void ProgressDisplay::WriteIteration(const std::string& ending) {
  WriteLine(fmt::format("{}{}{}, gradient norm {:.3g}, {:.3g} rows/s{}", StageText(),
                        IterationText(), CostText(), last_->gradient_norm, last_->rows_per_second,
                        ending));
  last_written_ = true;
}

std::string ProgressDisplay::TrainingBar() const {
  const std::string bar = iterations_ == kUnknownIterations
                              ? Bar(pass_.rows_done, pass_.rows_total)
                              : Bar(last_ ? last_->iteration : 0, iterations_);
  return fmt::format("{} {}{}{}, {}{}", bar, StageText(), IterationText(), CostText(), RowsText(),
                     TimeLeft());
}

std::string ProgressDisplay::IterationText() const {
  const int64_t iteration = last_ ? last_->iteration : 0;
  if (iterations_ == kUnknownIterations) return fmt::format("iteration {}", iteration);
  return fmt::format("iteration {}/{}", iteration, iterations_);
}

std::string ProgressDisplay::CostText() const {
  if (!last_) return "";
  const bool of_sample = last_->cost_over == CostOver::kSample;
  return fmt::format(", J {:.6g}{}", last_->cost.total(),
                     of_sample ? fmt::format(" over {} rows", last_->rows_in_sample) : "");
}

std::string ProgressDisplay::StageText() const {
  return last_ && !last_->stage.empty() ? last_->stage + ", " : "";
}

std::string ProgressDisplay::RowsText() const {
  return fmt::format("{}/{} rows", ShortCount(pass_.rows_done), ShortCount(pass_.rows_total));
}

std::string ProgressDisplay::TimeLeft() const {
  const std::optional<double> seconds = SecondsLeft();
  if (!seconds) return "";
  return fmt::format(", {} left", FormatSeconds(*seconds));
}

std::optional<double> ProgressDisplay::SecondsLeft() const {
  const double now = output_.seconds();
  if (iterations_ == kUnknownIterations) return std::nullopt;
  if (last_ && iterations_ == last_->iteration) return std::nullopt;
  if (last_ && last_->iteration > 0) {
    const double pace = last_->seconds / static_cast<double>(last_->iteration);
    const double left = pace * static_cast<double>(iterations_ - last_->iteration);
    return std::max(0.0, left - (now - iteration_at_));
  }
  if (pass_.rows_done <= 0 || pass_.rows_total <= 0) return std::nullopt;
  const double done = static_cast<double>(pass_.evaluation - 1) +
                      static_cast<double>(pass_.rows_done) / static_cast<double>(pass_.rows_total);
  const auto evaluations = static_cast<double>(iterations_ + 1);  // at least
  return std::max(0.0, (now - started_at_) * (evaluations / done - 1));
}

}  // namespace rhohat
