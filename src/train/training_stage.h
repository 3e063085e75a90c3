// The minimisation of one objective: its methods, one after another.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "train/phase.h"

namespace rhohat {

template <class T>
class TrainingStage {
 public:
  // `around.progress` is the stage's own.
  TrainingStage(const PhaseSurroundings<T>& around, std::span<const T> start);

  // Returns why it ended. Throws Error, or Stopped.
  std::string Minimise();

  // May be called whenever the checkpointer saves. Loading may read rows.
  void Visit(State& state);

  // What the last line of metrics is about.
  std::span<const T> point() const;

  // Of the passes of the method under way.
  SweepCounts counts() const { return phase_ ? phase_->counts() : SweepCounts(); }

 private:
  OptimizerKind kind() const { return around_.options.methods[static_cast<size_t>(method_)]; }
  std::unique_ptr<Phase<T>> MakePhase() const;
  void RunPhase();
  void EndPhase();
  int64_t first_iteration() const;
  std::string RiseSince(int64_t iteration, double fraction) const;
  void ThrowIfDiverged() const;
  std::string RecentRise() const;
  void WarnIfStuck();
  void WarnIfUseless();

  PhaseSurroundings<T> around_;
  std::vector<T> point_;  // where the method under way began
  int64_t method_ = 0;    // its number
  int64_t iteration_before_ = 0;
  std::string reasons_;       // why those before it ended
  std::string phase_reason_;  // why it ended
  bool phase_is_over_ = false;
  std::unique_ptr<Phase<T>> phase_;
};

}  // namespace rhohat
