// Progress of a grid of models on standard error: one line about all of them, and those lines of
// single models that someone should read.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "rhohat/observer.h"
#include "tools/status_line.h"

namespace rhohat {

class GridDisplay final : public RunObserver {
 public:
  GridDisplay() : GridDisplay(StatusLine::StandardError()) {}
  explicit GridDisplay(StatusLine::Output output);

  // Removes the bar.
  void Finish() { status_.Clear(); }

  void OnModel(const std::string& name) override { model_ = name; }
  void OnNote(const std::string& line) override;
  void OnWarning(const std::string& line) override;
  void OnIteration(const IterationMetrics& metrics) override;
  void OnPassProgress(const PassProgress& progress) override;
  void OnRows(int64_t done, int64_t total) override;

 private:
  std::string OfModel(const std::string& line) const;
  void Show();
  std::string IterationsText() const;
  std::string RowsText() const;

  StatusLine status_;
  std::string model_;                             // that calls are about
  std::map<std::string, IterationMetrics> last_;  // of each model
  int64_t rows_done_ = 0;                         // of a pass under way
  int64_t rows_total_ = 0;
};

}  // namespace rhohat
