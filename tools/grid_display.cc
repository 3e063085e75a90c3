#include "tools/grid_display.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

namespace rhohat {

GridDisplay::GridDisplay(StatusLine::Output output) : status_(std::move(output)) {}

void GridDisplay::OnNote(const std::string& line) { status_.Write("note: " + OfModel(line)); }

void GridDisplay::OnWarning(const std::string& line) { status_.Write("warning: " + OfModel(line)); }

void GridDisplay::OnIteration(const IterationMetrics& metrics) {
  last_[model_] = metrics;
  Show();
}

void GridDisplay::OnPassProgress(const PassProgress& progress) {
  rows_done_ = progress.rows_done;
  rows_total_ = progress.rows_total;
  Show();
}

void GridDisplay::OnRows(int64_t done, int64_t total) {
  rows_done_ = done;
  rows_total_ = total;
  Show();
}

std::string GridDisplay::OfModel(const std::string& line) const {
  return model_.empty() ? line : fmt::format("{}: {}", model_, line);
}

void GridDisplay::Show() {
  if (!(status_.terminal() ? status_.IsBarDue() : status_.IsLineDue())) return;
  if (status_.terminal()) {
    status_.Draw(
        fmt::format("{} {}{}", ProgressBar(rows_done_, rows_total_), IterationsText(), RowsText()));
  } else {
    status_.Write(IterationsText() + RowsText());
  }
}

// "4 models, iterations 12 to 15, J 0.0123 to 0.0145, ", from the least to the greatest.
std::string GridDisplay::IterationsText() const {
  if (last_.empty()) return "";
  const auto iteration = [](const auto& model) { return model.second.iteration; };
  const auto cost = [](const auto& model) { return model.second.cost.total(); };
  const auto [first, last] = std::ranges::minmax_element(last_, {}, iteration);
  const auto [least, greatest] = std::ranges::minmax_element(last_, {}, cost);
  return fmt::format("{} models, iterations {} to {}, J {:.6g} to {:.6g}, ", last_.size(),
                     iteration(*first), iteration(*last), cost(*least), cost(*greatest));
}

std::string GridDisplay::RowsText() const {
  return fmt::format("{}/{} rows", ShortCount(rows_done_), ShortCount(rows_total_));
}

}  // namespace rhohat
