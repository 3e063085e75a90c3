// Progress on standard error: one line that is drawn again and again on a terminal, and now and
// then a plain line where there is none, so that a batch job's log stays readable.
//
// The time left is what the iterations still allowed take at the pace so far; a run that converges
// ends sooner.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "rhohat/observer.h"
#include "tools/status_line.h"

namespace rhohat {

class ProgressDisplay : public RunObserver {
 public:
  // Of training that says itself when to go on with more rows.
  static constexpr int64_t kUnknownIterations = -1;

  // `iterations`: the most that there can be, or kUnknownIterations; 0 where the work is one pass
  // over the rows.
  explicit ProgressDisplay(int64_t iterations = 0);
  ProgressDisplay(int64_t iterations, StatusLine::Output output);
  ~ProgressDisplay() override { Finish(); }
  ProgressDisplay(const ProgressDisplay&) = delete;
  ProgressDisplay& operator=(const ProgressDisplay&) = delete;

  // Removes the bar; without a terminal, writes the last iteration if it was not written yet.
  void Finish();

  void OnNote(const std::string& line) override;
  void OnWarning(const std::string& line) override;
  void OnIteration(const IterationMetrics& metrics) override;
  void OnPassProgress(const PassProgress& progress) override;
  void OnRows(int64_t done, int64_t total) override;

 private:
  // Redraws on a terminal, not more often than the eye follows.
  void Redraw(bool now);
  void WriteIteration(const std::string& ending);

  std::string TrainingBar() const;
  std::string StageText() const;
  std::string IterationText() const;
  std::string CostText() const;
  std::string RowsText() const;
  std::string TimeLeft() const;
  std::optional<double> SecondsLeft() const;

  StatusLine status_;
  int64_t iterations_;
  double started_at_;
  double iteration_at_ = 0;
  std::optional<IterationMetrics> last_;
  PassProgress pass_;
  bool last_written_ = true;
};

}  // namespace rhohat
