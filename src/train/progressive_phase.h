// L-BFGS on samples that grow, and at last on all rows (docs/math.md §7).
//
// Most of the way to a minimum is the same for a few rows as for all of them, and costs a small
// part there. The samples are nested and held in memory, gathered by one pass over the data. L-BFGS
// goes from one to the next with the pairs it has: the function is new, its curvature nearly the
// same. The last stage is exact, over all rows as every batch method is.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "optimize/lbfgs.h"
#include "sweep/row_sample.h"
#include "train/batch_minimiser.h"
#include "train/sample_sizes.h"

namespace rhohat {

template <class T>
class ProgressivePhase : public Phase<T> {
 public:
  ProgressivePhase(const PhaseSurroundings<T>& around, std::span<const T> start);

  std::string Minimise() override;
  void Visit(State& state) override;
  std::span<const T> point() const override { return lbfgs_.point(); }
  SweepCounts counts() const override;

 private:
  class SampleRule;

  // The rows of a sample, or all of them, and what is minimised over them.
  struct Problem {
    std::optional<SampledRows> sample;  // empty where it is all rows
    std::unique_ptr<StopRule> rule;
    std::optional<Sweep<T>> sweep;
    std::optional<Objective<T>> objective;
  };

  void Hold();
  HeldSample Gather();
  bool is_on_all() const { return number_ == std::ssize(sizes_); }
  void BeginProblem();
  std::string MinimiseProblem();

  StopRuleOptions StopOptions() const;
  SweepOptions SampleSweep(int64_t rows) const;

  const PhaseSurroundings<T>& around_;
  std::vector<int64_t> sizes_;
  BatchMinimiser<T> minimiser_;
  Lbfgs<T> lbfgs_;
  SampleGap gap_;
  std::shared_ptr<const HeldSample> held_;
  int64_t number_ = 0;              // of the problem: a sample's, or how many samples there are
  int64_t sample_rows_ = 0;         // of the sample before, where there is one
  std::optional<Problem> problem_;  // the one under way
  SweepCounts counts_;              // of the passes of those that are over
};

}  // namespace rhohat
