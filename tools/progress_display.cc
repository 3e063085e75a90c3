#include "tools/progress_display.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/units.h"

namespace rhohat {

ProgressDisplay::ProgressDisplay(int64_t iterations)
    : ProgressDisplay(iterations, StatusLine::StandardError()) {}

ProgressDisplay::ProgressDisplay(int64_t iterations, StatusLine::Output output)
    : status_(std::move(output)), iterations_(iterations), started_at_(status_.seconds()) {}

void ProgressDisplay::Finish() {
  status_.Clear();
  if (!status_.terminal() && !last_written_) WriteIteration("");
}

void ProgressDisplay::OnNote(const std::string& line) { status_.Write("note: " + line); }

void ProgressDisplay::OnWarning(const std::string& line) { status_.Write("warning: " + line); }

void ProgressDisplay::OnIteration(const IterationMetrics& metrics) {
  last_ = metrics;
  last_written_ = false;
  iteration_at_ = status_.seconds();
  if (status_.terminal()) {
    Redraw(true);
  } else if (metrics.iteration <= 1 || status_.IsLineDue()) {
    WriteIteration(TimeLeft());
  }
}

void ProgressDisplay::OnPassProgress(const PassProgress& progress) {
  pass_ = progress;
  if (status_.terminal()) {
    Redraw(false);
  } else if (status_.IsLineDue()) {
    status_.Write(fmt::format("evaluation {}: {}{}", pass_.evaluation, RowsText(), TimeLeft()));
  }
}

void ProgressDisplay::OnRows(int64_t done, int64_t total) {
  pass_ = {1, done, total};
  if (status_.terminal()) {
    Redraw(false);
  } else if (status_.IsLineDue()) {
    status_.Write(RowsText() + TimeLeft());
  }
}

void ProgressDisplay::Redraw(bool now) {
  if (!now && !status_.IsBarDue()) return;
  const bool training = iterations_ != 0;
  status_.Draw(training ? TrainingBar()
                        : fmt::format("{} {}{}", ProgressBar(pass_.rows_done, pass_.rows_total),
                                      RowsText(), TimeLeft()));
}

void ProgressDisplay::WriteIteration(const std::string& ending) {
  status_.Write(fmt::format("{}{}{}, gradient norm {:.3g}, {:.3g} rows/s{}", StageText(),
                            IterationText(), CostText(), last_->gradient_norm,
                            last_->rows_per_second, ending));
  last_written_ = true;
}

std::string ProgressDisplay::TrainingBar() const {
  const std::string bar = iterations_ == kUnknownIterations
                              ? ProgressBar(pass_.rows_done, pass_.rows_total)
                              : ProgressBar(last_ ? last_->iteration : 0, iterations_);
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
  const double now = status_.seconds();
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
