// How a long operation tells what it is doing, and is asked to stop.
//
// The library prints nothing. A program that wants to show progress implements RunObserver; one
// that wants to stop early sets the flag of a RunControl, from a signal handler if need be.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "rhohat/cost_terms.h"

namespace rhohat {

// What a cost is a mean over: all rows; the rows of a sample; or those of an epoch, each at the
// parameters that it met.
enum class CostOver { kAllRows, kSample, kEpoch };
std::string_view CostOverName(CostOver over);  // as in metrics.jsonl: "all", "sample", "epoch"

// One line of metrics.jsonl: the state after an iteration or an epoch. Iteration 0 is the starting
// point.
struct IterationMetrics {
  int64_t iteration = 0;
  double data_passes = 0;  // rows evaluated so far over the data set's rows
  std::string stage;       // of greedy training: "layer 1", …, "fine-tuning"; empty otherwise
  std::string optimizer;   // the method: "lbfgs"
  CostTerms cost;          // J and its terms
  CostOver cost_over = CostOver::kAllRows;
  double gradient_norm = 0;
  double rho_hat_mean = 0;
  double rho_hat_min = 0;
  double rho_hat_max = 0;
  double seconds = 0;          // since the start
  double rows_per_second = 0;  // of this iteration
  int64_t rows_in_sample = 0;
  uint64_t bytes_read = 0;  // since the start
  double wait_seconds = 0;  // since the start: time that compute threads waited for data
  uint64_t peak_rss_bytes = 0;

  // Of the time, what compute threads did not wait for data: from 0 to 1.
  double compute_fraction() const {
    return seconds > 0 ? std::clamp(1 - wait_seconds / seconds, 0.0, 1.0) : 1;
  }
};

// How far a pass over the rows is. `evaluation` counts from 1.
struct PassProgress {
  int64_t evaluation = 0;
  int64_t rows_done = 0;
  int64_t rows_total = 0;  // of the whole evaluation, both passes
};

// Calls come one at a time, from a thread that runs the operation or from a compute thread; they
// should return soon, since work waits for them.
class RunObserver {
 public:
  virtual ~RunObserver() = default;
  // Of a grid of models: which of them the calls that follow are about, by its folder's name; empty
  // for all of them.
  virtual void OnModel(const std::string& /*name*/) {}
  virtual void OnNote(const std::string& /*line*/) {}
  virtual void OnWarning(const std::string& /*line*/) {}
  virtual void OnIteration(const IterationMetrics& /*metrics*/) {}
  virtual void OnPassProgress(const PassProgress& /*progress*/) {}
  // For work that is one pass over the rows: encode, evaluate, convert.
  virtual void OnRows(int64_t /*done*/, int64_t /*total*/) {}
};

struct RunControl {
  RunObserver* observer = nullptr;          // may be null
  const std::atomic<bool>* stop = nullptr;  // may be null; once true, work stops at the next block

  bool stop_requested() const { return stop != nullptr && stop->load(std::memory_order_relaxed); }
};

}  // namespace rhohat
