// The passes that fit a preparation: sweeps in double, with lanes by the size of what they add up,
// and one count of rows over all of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "data/row_source.h"
#include "rhohat/observer.h"
#include "sweep/executor.h"
#include "sweep/sweep.h"

namespace rhohat {

// Lanes whose sums take `lane_bytes` each: 16, or fewer where they would take more than 256 MiB.
// Follows from the width of the data alone, so that the result does too.
inline int64_t FitLanes(size_t lane_bytes) {
  constexpr size_t kMostBytes = size_t{256} << 20;
  int64_t lanes = 16;
  while (lanes > 1 && lane_bytes > kMostBytes / static_cast<size_t>(lanes)) lanes /= 2;
  return lanes;
}

class FitPasses {
 public:
  // All must outlive the passes. `passes` is how many there will be.
  FitPasses(RowSource& source, Executor& executor, int64_t block_rows, int64_t blocks_ahead,
            const RunControl& control, int64_t passes)
      : source_(source),
        executor_(executor),
        options_{.block_rows = block_rows, .blocks_ahead = blocks_ahead, .stop = control.stop},
        control_(control),
        passes_(passes) {}

  // One pass: the sum of FitLanes(lane_bytes) lanes, each made by `make_lane()`.
  template <class Sums, class Function>
  Sums Run(size_t lane_bytes, const std::function<Sums()>& make_lane, const Function& function) {
    options_.lanes = FitLanes(lane_bytes);
    std::vector<Sums> lanes;
    for (int64_t lane = 0; lane < options_.lanes; ++lane) lanes.push_back(make_lane());
    Sweep<double> sweep(source_, executor_, options_);
    if (control_.observer != nullptr) {
      sweep.set_rows_done([this](int64_t done) {
        control_.observer->OnRows(finished_ * source_.rows() + done, passes_ * source_.rows());
      });
    }
    sweep.Run(std::span(lanes), function);
    ++finished_;
    return std::move(lanes[0]);
  }

  const RowSource& source() const { return source_; }
  const RunControl& control() const { return control_; }
  int64_t threads() const { return executor_.threads(); }
  int64_t block_rows() const { return options_.block_rows; }

 private:
  RowSource& source_;
  Executor& executor_;
  SweepOptions options_;
  const RunControl& control_;
  int64_t passes_;
  int64_t finished_ = 0;
};

}  // namespace rhohat
